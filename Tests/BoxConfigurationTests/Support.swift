import Glibc

@testable import BoxConfiguration

/// The complete example of the documentation.
let example = """
    # default: first on PATH; refused with a reason if it is not FFmpeg ≥ 5.1
    ffmpeg: /usr/bin/ffmpeg
    # default $RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR/streambox, else a private temporary folder
    runtime: /run/streambox
    # default $STATE_DIRECTORY, else $XDG_STATE_HOME/streambox or ~/.local/state/streambox
    state: /var/lib/streambox
    status: { file: /run/streambox/streambox.prom, every: 2s, listen: "127.0.0.1:9163" }
    # the order `auto` tries; leave one out and it is never used
    encoders: { order: [nvenc, vaapi, qsv, v4l2m2m, software] }
    channels:
      - name: main
        sources:                           # by priority: the first that delivers is on air
          - rtmp: { listen: "0.0.0.0:1935", app: live, key: { credential: ingest } }
          - srt: { listen: "0.0.0.0:9000", passphrase: { file: /etc/streambox/keys/srt } }
          - pull: { url: "rtsp://camera/stream" }
          # or path: / model: / any: true; audio: auto | none | an ALSA id
          - capture: { serial: "SN0001", size: 1920x1080, rate: 60, audio: auto }
          # another program writes frames to this FIFO
          - raw: { path: /run/streambox/frames, size: 1280x720, rate: 30, pixels: bgra }
          - file: { path: show.mp4, loop: true }
          - test: { size: 1280x720, rate: 30 }
        # shown when no source delivers; default: plain card
        slate: { after: 1s, image: standby.png, text: "Back soon" }
        # how capture and raw sources are encoded for the relay
        mezzanine: { bitrate: 20M, keyframe: 500ms }
        # read-only MPEG-TS on tcp://127.0.0.1:PORT, PORT = 20000 + hash(name) mod 20000, next free on collision
        tap: true
        groups:
          - name: hd
            # or `video: copy`
            video:
              { codec: h264, encoder: auto, size: 1920x1080, rate: 30, bitrate: 6000k, keyframe: 2s, profile: high }
            # or `audio: copy`
            audio: { codec: aac, bitrate: 160k, rate: 48000, channels: 2 }
            tap: false
            targets:
              - { name: twitch, url: "rtmp://live.twitch.tv/app", key: { credential: twitch } }
              - { name: studio, url: "srt://10.0.0.2:9000", passphrase: { env: STUDIO_PASS } }
              - { name: archive, record: { folder: /var/lib/streambox/rec, segment: 10m, keep: 20G } }

    """

/// A whole configuration around the lines of one group; the first of them is line 5.
func inGroup(_ lines: String) -> String {
    "channels:\n- name: main\n  sources: [{ test: {} }]\n  groups:\n" + lines + "\n"
}

/// A whole configuration with these targets of group `g`; the first is line 9, column 5.
func withTargets(_ targets: String...) -> String {
    inGroup(
        "  - name: g\n    tap: true\n    audio: copy\n    targets:\n"
            + targets.map { "    - \($0)" }.joined(separator: "\n"))
}

/// A whole configuration with these sources; the first is line 5, column 5.
func withSources(_ sources: String...) -> String {
    "channels:\n- name: main\n  tap: true\n  sources:\n" + sources.map { "  - \($0)" }.joined(separator: "\n") + "\n"
}

/// A whole configuration with these video settings; the value begins at line 7, column 12.
func withVideo(_ video: String) -> String {
    inGroup("  - name: g\n    tap: true\n    video: \(video)")
}

func parse(_ text: String, ownerOnly: Bool = false, notYet: [NotYet] = []) throws(ConfigurationError)
    -> ConfigurationFile
{
    try ConfigurationFile.parse(text, name: "box.yaml", ownerOnly: ownerOnly, checksFiles: false, notYet: notYet)
}

/// The mistakes in `text`, each as a person reads it.
func mistakes(_ text: String, ownerOnly: Bool = false) -> [String] {
    do {
        _ = try parse(text, ownerOnly: ownerOnly)
        return []
    } catch {
        return error.problems.map(\.description)
    }
}

/// The notices of a text without mistakes, each as a person reads it.
func notices(_ text: String, ownerOnly: Bool = false, notYet: [NotYet] = []) throws -> [String] {
    try parse(text, ownerOnly: ownerOnly, notYet: notYet).notices.map(\.description)
}

/// A folder of its own for one test, removed with everything in it.
func withFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
    var template = Array("/tmp/streambox-configuration-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw FolderError.notMade }
    let folder = String(cString: made)
    defer {
        if let entries = opendir(folder) {
            while let entry = readdir(entries) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if name != ".", name != "..", unlink("\(folder)/\(name)") != 0 { rmdir("\(folder)/\(name)") }
            }
            closedir(entries)
        }
        rmdir(folder)
    }
    return try body(folder)
}

enum FolderError: Error {
    case notMade, notWritten
}

func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o600) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw FolderError.notWritten }
    defer { close(descriptor) }
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fchmod(descriptor, mode) == 0 else {
        throw FolderError.notWritten
    }
}
