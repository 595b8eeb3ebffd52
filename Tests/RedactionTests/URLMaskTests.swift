import Redaction
import Testing

@Suite struct URLMaskTests {
    @Test(
        "a URL keeps helpful parts and hides possible secrets",
        arguments: [
            ("rtmp://live.twitch.tv/app", "rtmp://live.twitch.tv/app"),
            ("rtmp://live.twitch.tv/app/", "rtmp://live.twitch.tv/app/"),
            ("rtmp://live.twitch.tv/app/live_1", "rtmp://live.twitch.tv/app/****"),
            ("rtmps://h:443/app/a/b?c=d", "rtmps://h:443/app/****?c=****"),
            ("RTMP://h/app/key", "RTMP://h/app/****"),
            ("rtmp://u:p@h/app", "rtmp://****@h/app"),
            ("rtmp://u:p/w@h/app", "rtmp://****"),
            ("rtmp://u:1/w@h/app", "rtmp://u:1/****"),
            ("rtmp://h//key", "rtmp://h//****"),
            (
                "srt://10.0.0.2:9000?mode=caller&passphrase=x&latency=200",
                "srt://10.0.0.2:9000?mode=caller&passphrase=****&latency=200"
            ),
            (
                "srt://h:1?streamid=#!::u=key&passphrase=x",
                "srt://h:1?streamid=#!".replacing("streamid=#!", with: "****#****")
            ),
            ("srt://[::1]:9000?KEY", "srt://[::1]:9000?****"),
            ("rtsp://u@camera/stream", "rtsp://****@camera/stream"),
            ("rtsp://camera/user=admin_password=x", "rtsp://camera/****"),
            ("https://h/a/b.m3u8?token=x", "https://h/a/****?token=****"),
            ("live_123_key", "****"), ("", "****"), ("://", "****"),
        ])
    func masks(url: String, masked: String) {
        #expect(URLMask.mask(url) == masked)
    }

    @Test(
        "every URL in a text is masked, and the text around it stays",
        arguments: [
            ("open rtsp://user:pa@ss@host/x failed", "open rtsp://****@host/x failed"),
            ("'http://u:p@h?a=b@c'", "'http://****@h?a=****'"),
            ("rtmp://host/app", "rtmp://host/app"),
            ("rtmp://host/app/k3y: Input/output error", "rtmp://host/app/****: Input/output error"),
            ("(srt://h:1?passphrase=x), https://h/a/t0k/b.ts.", "(srt://h:1?passphrase=****), https://h/a/****."),
            ("async:rtmp://h/a/b", "async:rtmp://h/a/****"),
            ("cannot reach rtsp://[::1]:554: refused", "cannot reach rtsp://[::1]:554: refused"),
            ("a@b :// c@d", "a@b :// c@d"), ("://", "://"), ("no url", "no url"), ("1://x@y", "1://x@y"),
        ])
    func texts(text: String, masked: String) {
        #expect(URLMask.maskAll(in: text) == masked)
        #expect(URLMask.maskAll(in: masked) == masked)
    }

    @Test(
        "the hidden parts of a URL are listed, so that they can be masked elsewhere",
        arguments: [
            ("rtsp://cam:it%27s@h/main", ["cam:it%27s", "it%27s", "cam:it's", "it's"]),
            ("rtmp://h/app/k3y-live?s=tok3n-9", ["k3y-live", "tok3n-9"]),
            ("https://h/live/t0ken99/index.m3u8", ["t0ken99/index.m3u8", "t0ken99", "index.m3u8"]),
            ("rtmp://h/app", []), ("srt://h:1?mode=caller", []), ("nothing", []),
        ])
    func secrets(url: String, secrets: [String]) {
        #expect(Set(URLMask.secrets(in: url)) == Set(secrets))
    }

    @Test("masking twice changes nothing more")
    func idempotent() {
        for url in ["rtmp://u:p@h/app/key?a=b#c", "srt://h:1?passphrase=x", "key"] {
            #expect(URLMask.mask(URLMask.mask(url)) == URLMask.mask(url))
        }
    }
}
