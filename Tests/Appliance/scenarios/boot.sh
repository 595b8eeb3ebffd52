# Switched on, nobody logs in: the platform gets a picture.
guest <<'GUEST'
saw "the platform is shown the slate without anybody logging in" slate 0
check "nobody is logged in" test -z "$(loginctl --no-legend list-sessions)"
check "every unit is well" test -z "$(systemctl --failed --no-legend)"
one_stream
GUEST
