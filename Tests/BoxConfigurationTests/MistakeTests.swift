import MediaTypes
import Testing

@testable import BoxConfiguration

private let noProgram =
    "a pull source with a secret takes no program; FFmpeg cannot list the programs of such a stream;"
    + " let the sender send only one program"

/// Every kind of mistake, each with its exact place and sentence.
@Suite struct MistakeTests {
    @Test("an unknown key names the nearest known key")
    func unknownKey() {
        #expect(
            mistakes(withVideo("{ bitrat: 6M }")) == [
                """
                box.yaml:7:14: unknown key 'bitrat'; did you mean 'bitrate'? allowed: codec, encoder, size, rate, \
                bitrate, keyframe, profile, fit, deinterlace
                """
            ])
    }

    @Test(
        "an unknown key is reported at every level",
        arguments: [
            (
                "chanels: []\n" + withSources("test: {}"),
                """
                box.yaml:1:1: unknown key 'chanels'; did you mean 'channels'? allowed: ffmpeg, runtime, state, \
                status, encoders, channels
                """
            ),
            (
                "status: { fil: x }\n" + withSources("test: {}"),
                "box.yaml:1:11: unknown key 'fil'; did you mean 'file'? allowed: file, every, listen"
            ),
            (
                withSources("tset: {}"),
                """
                box.yaml:5:5: unknown key 'tset'; did you mean 'test'? allowed: rtmp, srt, pull, capture, raw, \
                file, test
                """
            ),
            (
                withSources("file: { pth: a, path: b }"),
                "box.yaml:5:13: unknown key 'pth'; did you mean 'path'? allowed: path, loop, program"
            ),
            (
                withTargets("{ name: t, record: { folder: x, kep: 1G } }"),
                "box.yaml:9:39: unknown key 'kep'; did you mean 'keep'? allowed: folder, segment, keep"
            ),
            (
                withTargets("{ name: t, uri: x, record: { folder: x } }"),
                """
                box.yaml:9:18: unknown key 'uri'; did you mean 'url'? allowed: name, url, key, passphrase, \
                streamid, tls, record
                """
            ),
        ])
    func unknownKeys(text: String, message: String) {
        #expect(mistakes(text) == [message])
    }

    @Test("a key that appears twice is reported at its second place")
    func duplicateKey() {
        #expect(
            mistakes(withVideo("{ rate: 30, size: 16x16, rate: 25, size: 32x32 }")) == [
                "box.yaml:7:37: the key 'rate' appears twice in one mapping, first in line 7; keep one",
                "box.yaml:7:47: the key 'size' appears twice in one mapping, first in line 7; keep one",
            ])
    }

    @Test("a quoted key that appears twice is reported")
    func duplicateQuotedKey() {
        #expect(
            mistakes("\"state\": /a\nstate: /b\n" + withSources("test: {}")) == [
                "box.yaml:2:1: the key 'state' appears twice in one mapping, first in line 1; keep one"
            ])
    }

    @Test("several mistakes are reported together, in the order of the file")
    func several() {
        let text = """
            state: []
            channels:
            - name: Main
              tap: yes
              sources:
              - test: { size: 1921x1080, rate: 500 }
              - file: {}
              groups:
              - name: g
                video: { bitrat: 6M, keyframe: 2 }
                targets:
                - { name: t, url: "http://host/app" }
            """
        #expect(
            mistakes(text) == [
                "box.yaml:1:8: state is a list; write the path of a folder, for instance /var/lib/streambox",
                """
                box.yaml:3:9: name 'Main' is not a valid name; allowed: 1 to 32 of a-z, 0-9 and '-', beginning \
                with a letter or a digit
                """,
                "box.yaml:4:8: tap is 'yes'; write true or false",
                "box.yaml:6:19: size '1921x1080' has an odd width; allowed: even numbers from 16 to 8192",
                "box.yaml:6:36: rate '500' is out of range; allowed: 1 to 240 frames per second",
                """
                box.yaml:7:11: a file source has no 'path'; add path: with the path of a media file, for instance \
                show.mp4
                """,
                """
                box.yaml:10:14: unknown key 'bitrat'; did you mean 'bitrate'? allowed: codec, encoder, size, rate, \
                bitrate, keyframe, profile, fit, deinterlace
                """,
                "box.yaml:10:36: keyframe '2' has no unit; write a duration such as 500ms, 2s, 10m or 1h",
                """
                box.yaml:12:23: url 'http://host/app' has the scheme 'http', which is not supported here; allowed: \
                rtmp, rtmps, srt
                """,
            ])
    }

    @Test(
        "a wrong kind of value is reported with what was found",
        arguments: [
            (
                "- a\n",
                """
                box.yaml:1:1: the configuration is a list; write a mapping with ffmpeg, runtime, state, status, \
                encoders, channels
                """
            ),
            (
                "hello\n",
                """
                box.yaml:1:1: the configuration is a plain value; write a mapping with ffmpeg, runtime, state, \
                status, encoders, channels
                """
            ),
            (
                "state: /s\n",
                """
                box.yaml:1:1: the configuration has no 'channels'; add at least one, for instance channels: [{ \
                name: main, sources: [{ test: {} }] }]
                """
            ),
            (
                "channels: {}\n",
                """
                box.yaml:1:11: channels is a mapping; write a list, for instance channels: [{ name: main, sources: \
                [{ test: {} }] }]
                """
            ),
            (
                "channels: []\n",
                """
                box.yaml:1:11: channels is an empty list; add at least one, for instance channels: [{ name: main, \
                sources: [{ test: {} }] }]
                """
            ),
            (
                "channels: [{ name: a, tap: true }]\n",
                "box.yaml:1:12: channel 'a' has no 'sources'; add at least one, for instance sources: [{ test: {} }]"
            ),
            (
                "channels: [{ name: a, tap: true, sources: [] }]\n",
                "box.yaml:1:43: channel 'a' has no sources; add at least one, for instance sources: [{ test: {} }]"
            ),
            (
                "encoders: { order: [] }\n" + withSources("test: {}"),
                """
                box.yaml:1:20: order is an empty list, so nothing could encode; name at least one of nvenc, vaapi, \
                qsv, v4l2m2m, software
                """
            ),
            (
                "encoders: { order: [vapi] }\n" + withSources("test: {}"),
                """
                box.yaml:1:21: encoder family 'vapi' is not known; did you mean 'vaapi'? allowed: nvenc, vaapi, \
                qsv, v4l2m2m, software
                """
            ),
            (
                "encoders: { order: [qsv, qsv] }\n" + withSources("test: {}"),
                "box.yaml:1:26: qsv is listed twice in order; keep one"
            ),
            (
                "status: { every: 10ms }\n" + withSources("test: {}"),
                "box.yaml:1:18: every '10ms' is out of range; allowed: 500ms to 1h"
            ),
            (
                "state:\n" + withSources("test: {}"),
                "box.yaml:1:7: state is empty; write the path of a folder, for instance /var/lib/streambox"
            ),
        ])
    func shapes(text: String, message: String) {
        #expect(mistakes(text) == [message])
    }

    @Test(
        "a source with a mistake is reported with the fix",
        arguments: [
            ("test", "box.yaml:5:5: a source is a plain value; write 'test: { … }'"),
            (
                "{ test: {}, file: { path: a } }",
                """
                box.yaml:5:17: a source has one kind, but 'file' follows 'test'; start a new list item with '- file:'
                """
            ),
            (
                "rtmp:\n    listen: \"0.0.0.0:1\"",
                "box.yaml:6:5: 'listen' does not belong next to 'rtmp'; indent it further, so that it is inside 'rtmp'"
            ),
            (
                "rtmp: {}",
                """
                box.yaml:5:11: an rtmp source has no 'listen'; add listen: with an address and a port such as \
                "0.0.0.0:1935"
                """
            ),
            (
                "rtmp: { listen: 1935 }",
                "box.yaml:5:21: listen '1935' is not an address with a port; write for instance \"0.0.0.0:1935\""
            ),
            (
                "rtmp: { listen: \"0.0.0.0:1\", app: a/b }",
                """
                box.yaml:5:39: app 'a/b' is not an application name; allowed: 1 to 64 letters, digits, '.', '_' \
                and '-'
                """
            ),
            (
                "pull: { url: \"ftp://host/x\" }",
                """
                box.yaml:5:18: url 'ftp://host/x' has the scheme 'ftp', which is not supported here; did you mean \
                'rtp'? allowed: rtsp, rtsps, rtmp, rtmps, http, https, srt, udp, rtp
                """
            ),
            (
                "pull: { url: camera }",
                "box.yaml:5:18: url '****' has no scheme; write for instance rtmp://host/app or srt://host:9000"
            ),
            (
                "pull: { url: \"rtsp://h/x\", passwort: { env: P } }",
                """
                box.yaml:5:32: unknown key 'passwort'; did you mean 'password'? allowed: url, passphrase, \
                streamid, password, tls, transport, program
                """
            ),
            (
                "pull: { url: \"rtsp://h/x\", password: { env: P } }",
                "box.yaml:5:32: password is given, but the url has no user name; write rtsp://USER@h"
            ),
            (
                "pull: { url: \"rtsp://u:x@h/x\", password: { env: P } }",
                "box.yaml:5:36: password is given here and in the url; remove it from the url"
            ),
            (
                "pull: { url: \"rtmp://u@h/x\", password: { env: P } }",
                "box.yaml:5:34: an rtmp url takes no password; that is for rtsp and http urls"
            ),
            (
                "file: { path: box.yaml, program: 0 }",
                "box.yaml:5:38: program '0' is not a program number; allowed: 1 to 65535"
            ),
            (
                "rtmp: { listen: \"127.0.0.1:1\", program: 1 }",
                "box.yaml:5:36: unknown key 'program'; allowed: listen, app, key"
            ),
            (
                "pull: { url: \"rtsp://h/x\", program: 1 }",
                "box.yaml:5:32: an rtsp url takes no program; that is for urls of a transport stream"
            ),
            (
                "srt: { listen: \"127.0.0.1:1\", passphrase: { env: P }, program: 1 }",
                """
                box.yaml:5:59: an srt source with a passphrase takes no program; FFmpeg cannot list the programs \
                of such a stream; let the sender send only one program
                """
            ),
            ("pull: { url: \"srt://h:1\", streamid: { env: P }, program: 1 }", "box.yaml:5:53: \(noProgram)"),
            ("pull: { url: \"https://u@h/x.ts\", password: { env: P }, program: 1 }", "box.yaml:5:60: \(noProgram)"),
            ("pull: { url: \"http://h/x.ts?token=a1b2c3d4\", program: 1 }", "box.yaml:5:50: \(noProgram)"),
            (
                "pull: { url: \"rtsp://h/x\", passphrase: { env: P } }",
                "box.yaml:5:32: an rtsp url takes no passphrase; that is for srt urls"
            ),
            (
                "pull: { url: \"http://h/x\", streamid: { env: P } }",
                "box.yaml:5:32: an http url takes no streamid; that is for srt urls"
            ),
            (
                "pull: { url: \"udp://h:1\", streamid: { env: P } }",
                "box.yaml:5:31: a udp url takes no streamid; that is for srt urls"
            ),
            (
                "pull: { url: \"srt://u@h:1\", password: { env: P } }",
                "box.yaml:5:33: an srt url takes no password; SRT has passphrase: and streamid:"
            ),
            (
                "pull: { url: \"srt://h:1?streamid=a\", streamid: { env: P } }",
                "box.yaml:5:42: streamid is given here and in the url; remove it from the url"
            ),
            (
                "pull: { url: \"srt://h:1?passphrase=a\", passphrase: { env: P } }",
                "box.yaml:5:44: passphrase is given here and in the url; remove it from the url"
            ),
            (
                "pull: { passphrase: plain }",
                """
                box.yaml:5:11: a pull source has no 'url'; add url: with a URL such as \
                rtsp://camera/stream\nbox.yaml:5:25: passphrase is written directly into a file that other users \
                can read; write { file: PATH }, { credential: NAME } or { env: NAME }, or run: chmod 600 box.yaml
                """
            ),
            (
                "pull: { url: \"rtsp:///stream\" }",
                "box.yaml:5:18: url 'rtsp:///stream' has no host; write for instance rtsp://camera/stream"
            ),
            (
                "capture: { size: 16x16 }",
                "box.yaml:5:14: a capture source does not name a card; write serial:, path:, model: or any: true"
            ),
            (
                "capture: { serial: a, any: true }",
                """
                box.yaml:5:27: a capture source names its card once, and here any follows serial; keep one of \
                serial, path, model and any
                """
            ),
            (
                "capture: { any: false }",
                """
                box.yaml:5:21: any is false, so the source does not name a card; write serial:, path:, model: or \
                any: true
                """
            ),
            (
                "capture: { path: /dev/video0 }",
                """
                box.yaml:5:22: path '/dev/video0' has a number that changes each time a card is plugged in; write \
                the USB or PCI path, or serial:, as 'streambox probe' shows them
                """
            ),
            (
                "raw: { path: a, size: 16x16 }",
                "box.yaml:5:10: a raw source has no 'rate'; add rate: with a rate such as 30, 29.97 or 30000/1001"
            ),
            (
                "raw: { path: a, size: 16x16, rate: 30, pixels: bgr }",
                """
                box.yaml:5:52: pixels 'bgr' is not known; did you mean 'bgra'? allowed: bgra, rgba, argb, abgr, \
                bgr0, rgb0, bgr24, rgb24, nv12, yuv420p, yuyv422, uyvy422
                """
            ),
        ])
    func sources(source: String, message: String) {
        #expect(mistakes(withSources(source)) == message.split(separator: "\n").map(String.init))
    }

    @Test(
        "video settings with a mistake are reported with the fix",
        arguments: [
            ("pass", "box.yaml:7:12: video is 'pass'; write copy or a mapping with the settings of the encoder"),
            (
                "{ codec: copy, size: 640x360 }",
                """
                box.yaml:7:14: copy passes the video through as it is, so it cannot have size; write 'video: copy' \
                alone, or name a codec to encode
                """
            ),
            (
                "{ copy: true, size: 640x360, rate: 30 }",
                """
                box.yaml:7:14: copy passes the video through as it is, so it cannot have size or rate; write \
                'video: copy' alone, or remove 'copy'
                """
            ),
            ("{ codec: h265 }", "box.yaml:7:21: codec 'h265' is called 'hevc' here; allowed: h264, hevc, av1"),
            ("{ codec: vp9 }", "box.yaml:7:21: codec 'vp9' is not known; allowed: h264, hevc, av1"),
            (
                "{ profile: main10 }",
                "box.yaml:7:23: profile 'main10' is not a profile of h264; allowed: baseline, main, high"
            ),
            (
                "{ fit: padd }",
                "box.yaml:7:19: fit 'padd' is not known; did you mean 'pad'? allowed: pad, crop, stretch"
            ),
            ("{ deinterlace: yes }", "box.yaml:7:27: deinterlace 'yes' is not known; allowed: auto, off, field"),
            ("{ bitrate: 10k }", "box.yaml:7:23: bitrate '10k' is out of range; allowed: 50k to 500M"),
            (
                "{ rate: 5, keyframe: 100ms }",
                "box.yaml:7:33: keyframe '100ms' is shorter than one frame at rate 5; write at least 200ms"
            ),
        ])
    func video(video: String, message: String) {
        #expect(mistakes(withVideo(video)) == [message])
    }

    @Test(
        "audio settings with a mistake are reported with the fix",
        arguments: [
            ("{ codec: mp3 }", "box.yaml:7:21: codec 'mp3' is not known; allowed: aac"),
            (
                "{ rate: 47000 }",
                """
                box.yaml:7:20: rate '47000' is not a supported sample rate; allowed: 8000, 11025, 12000, 16000, \
                22050, 24000, 32000, 44100, 48000, 88200, 96000
                """
            ),
            ("{ channels: 9 }", "box.yaml:7:24: channels '9' is out of range; allowed: 1 to 8"),
            ("{ bitrate: 1M }", "box.yaml:7:23: bitrate '1M' is out of range; allowed: 16k to 512k"),
            (
                "{ codec: copy, rate: 48000 }",
                """
                box.yaml:7:14: copy passes the audio through as it is, so it cannot have rate; write 'audio: copy' \
                alone, or name a codec to encode
                """
            ),
        ])
    func audio(audio: String, message: String) {
        #expect(mistakes(inGroup("  - name: g\n    tap: true\n    audio: \(audio)")) == [message])
    }

    @Test(
        "an encoder with a mistake is reported with the fix",
        arguments: [
            (
                "h264_vaap",
                """
                box.yaml:7:23: encoder 'h264_vaap' is not a known encoder; did you mean 'h264_vaapi'? allowed: auto, \
                h264_nvenc, h264_vaapi, h264_qsv, h264_v4l2m2m, hevc_nvenc, hevc_vaapi, hevc_qsv, hevc_v4l2m2m, \
                av1_nvenc, av1_vaapi, av1_qsv, libx264, libx265, libsvtav1
                """
            ),
            (
                "h264_videotoolbox",
                """
                box.yaml:7:23: encoder 'h264_videotoolbox' exists on macOS only; on Linux write h264_vaapi, \
                h264_nvenc or auto
                """
            ),
            (
                "nvenc",
                "box.yaml:7:23: encoder 'nvenc' is a family of encoders; name one encoder, for instance h264_nvenc"
            ),
            ("[]", "box.yaml:7:23: encoder is an empty list; write auto or at least one encoder"),
            (
                "[libx264, auto]",
                "box.yaml:7:33: auto is in a list; write 'encoder: auto' alone, or only names of encoders"
            ),
            ("[libx264, libx264]", "box.yaml:7:33: libx264 is listed twice in encoder; keep one"),
            (
                "[libx264, libx265]",
                """
                box.yaml:7:33: encoder 'libx265' makes hevc, but codec is h264; allowed with it: auto, h264_nvenc, \
                h264_vaapi, h264_qsv, h264_v4l2m2m, libx264
                """
            ),
            (
                "libx264@0000:03:00.0",
                """
                box.yaml:7:23: encoder 'libx264@0000:03:00.0' runs on the processor and takes no GPU; remove \
                '@0000:03:00.0'
                """
            ),
            (
                "h264_vaapi@/dev/dri/renderD128",
                """
                box.yaml:7:23: encoder 'h264_vaapi@/dev/dri/renderD128' names a device node, whose number can \
                change; write the PCI slot of the GPU, for instance @0000:03:00.0
                """
            ),
            (
                "h264_vaapi@03:00.0",
                "box.yaml:7:23: encoder 'h264_vaapi@03:00.0' names the PCI slot without its domain; write @0000:03:00.0"
            ),
        ])
    func encoders(encoder: String, message: String) {
        #expect(mistakes(withVideo("{ encoder: \(encoder) }")) == [message])
    }

    @Test("an encoder of another codec is rejected")
    func contradiction() {
        #expect(
            mistakes(withVideo("{ codec: av1, encoder: h264_vaapi }")) == [
                """
                box.yaml:7:35: encoder 'h264_vaapi' makes h264, but codec is av1; allowed with it: auto, \
                av1_nvenc, av1_vaapi, av1_qsv, libsvtav1
                """
            ])
    }

    @Test("encoders are read as one name or a list, pinned or not, and decide the codec")
    func goodEncoders() throws {
        let box = try parse(withVideo("{ encoder: [hevc_vaapi@0000:03:00.0, libx265] }")).configuration
        guard case .encode(let encoding) = box.channels[0].groups[0].video else { return #expect(Bool(false)) }
        #expect(encoding.codec == .hevc)
        #expect(encoding.profile == "main")
        #expect(
            encoding.encoder
                == .list([EncoderRequest(name: "hevc_vaapi", gpu: "0000:03:00.0"), EncoderRequest(name: "libx265")]))
        #expect(encoding.encoder.description == "[hevc_vaapi@0000:03:00.0, libx265]")
    }

    @Test(
        "a target with a mistake is reported with the fix",
        arguments: [
            ("{ name: t }", "box.yaml:9:7: target 't' has no destination; write url: or record:"),
            (
                "{ name: t, url: \"rtmp://h/a\", record: { folder: x } }",
                "box.yaml:9:37: target 't' has both url and record; split it into two targets"
            ),
            (
                "{ name: t, url: \"rtmp://h/a\", passphrase: { env: P } }",
                "box.yaml:9:37: an rtmp target takes no passphrase; write a stream key as key:"
            ),
            (
                "{ name: t, url: \"srt://h:1\", key: { env: P } }",
                "box.yaml:9:36: an srt target takes no key; SRT has passphrase: and streamid:"
            ),
            (
                "{ name: t, url: \"srt://h\" }",
                "box.yaml:9:23: an srt url needs a port; write for instance srt://h:9000"
            ),
            (
                "{ name: t, url: \"srt://h:1?mode=push\" }",
                "box.yaml:9:23: mode 'push' in the url is not known; allowed: caller, listener, rendezvous"
            ),
            (
                "{ name: t, url: \"rtmp:///app\" }",
                "box.yaml:9:23: url 'rtmp:///app' has no host; write for instance rtmp://host/app"
            ),
            (
                "{ name: t, url: \"rtmp://h:99999/app\" }",
                "box.yaml:9:23: url 'rtmp://h:99999/app' has no valid port; allowed: 1 to 65535"
            ),
            (
                "{ name: t, url: \"srt://h:1?streamid=a\", streamid: b }",
                "box.yaml:9:47: streamid is given here and in the url; remove it from the url"
            ),
            (
                "{ name: t, url: \"srt://h:1?passphrase=abcdefghij\", passphrase: { env: P } }",
                "box.yaml:9:58: passphrase is given here and in the url; remove it from the url"
            ),
            (
                "{ name: t, record: {} }",
                """
                box.yaml:9:26: record has no 'folder'; add folder: with the path of a folder, for instance \
                /var/lib/streambox/rec
                """
            ),
            (
                "{ name: t, record: { folder: x, segment: 500ms } }",
                "box.yaml:9:48: segment '500ms' is out of range; allowed: 1s to 24h"
            ),
            (
                "{ name: t, record: { folder: x, keep: 1M } }",
                "box.yaml:9:45: keep '1M' is too little; allowed: 100M and more"
            ),
        ])
    func targets(target: String, message: String) {
        #expect(mistakes(withTargets(target)) == [message])
    }

    @Test(
        "text that is not YAML is reported with its place",
        arguments: [
            (
                "channels: [\n",
                "box.yaml:2:1: this is not valid YAML: did not find expected node content while parsing a flow node"
            ),
            ("a: b: c\n", "box.yaml:1:5: this is not valid YAML: mapping values are not allowed in this context"),
            (
                "channels:\n\t- name: a\n",
                """
                box.yaml:2:1: this is not valid YAML: found character that cannot start any token while scanning \
                for the next token; indent with spaces, not with tabs
                """
            ),
            (
                "state: *nowhere\n",
                "box.yaml:1:8: this alias has no anchor before it; write '&name' at the value that it repeats"
            ),
            (
                "a: 1\n---\nb: 2\n",
                "box.yaml:2:1: a second YAML document begins here; a configuration is one document, remove the '---'"
            ),
            ("state: \u{1}\n", "box.yaml:1:8: there is a control character here; YAML is plain text, remove it"),
            (
                "",
                """
                box.yaml:1:1: the file is empty; write at least one channel, for instance channels: [{ name: main, \
                sources: [{ test: {} }] }]
                """
            ),
            (
                "# nothing\n",
                """
                box.yaml:1:1: the file is empty; write at least one channel, for instance channels: [{ name: main, \
                sources: [{ test: {} }] }]
                """
            ),
            (
                "---\n",
                """
                box.yaml:1:1: the file is empty; write at least one channel, for instance channels: [{ name: main, \
                sources: [{ test: {} }] }]
                """
            ),
        ])
    func syntax(text: String, message: String) {
        #expect(mistakes(text) == [message])
    }

    @Test("tags, merge keys and keys that are not words are rejected")
    func exoticYAML() {
        #expect(
            mistakes("state: !secret x\n" + withSources("test: {}")) == [
                "box.yaml:1:8: YAML tags ('!…') are not supported here; remove the tag"
            ])
        #expect(mistakes("[a]: b\n" + withSources("test: {}")) == ["box.yaml:1:1: a key is one word; found a list"])
        #expect(
            mistakes("<<: {}\n" + withSources("test: {}")) == [
                """
                box.yaml:1:1: merge keys ('<<') are not supported here; write the keys out or repeat a whole \
                value with an alias
                """
            ])
    }

    @Test("multiplying aliases, deep nesting and long lists are rejected")
    func bombs() {
        var bomb = "a0: &a0 [x]\n"
        for level in 1...40 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]\n" }
        #expect(mistakes(bomb).count == 1)
        #expect(mistakes(bomb).first?.contains("too many anchors and aliases") == true)
        var small = "a0: &a0 [x]\n"
        for level in 1...7 { small += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1), *a\(level - 1)]\n" }
        #expect(!mistakes(small).isEmpty)
        #expect(
            mistakes("a: " + String(repeating: "[", count: 40) + String(repeating: "]", count: 40)) == [
                "box.yaml:1:36: this is nested too deeply; at most 32 levels are read"
            ])
        #expect(mistakes(String(repeating: "[", count: 100_000)).count == 1)
        #expect(mistakes(String(repeating: "- ", count: 100_000)).count == 1)
        #expect(
            mistakes("channels: [" + String(repeating: "a,", count: 60_000) + "a]").contains {
                $0.hasSuffix("the file has too many values; at most 50000 are read")
            })
    }
}
