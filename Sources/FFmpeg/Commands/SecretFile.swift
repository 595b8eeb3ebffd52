import Redaction

/// A file that passes a secret to FFmpeg, because every user of the machine can read an argument list.
///
/// The file is a pipe on the standard descriptor that carries no media. It is in no folder, so no other process can
/// open it, and its contents are gone once FFmpeg has read them. A publisher reads them only after media has arrived.
package struct SecretFile: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable
{
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// For `-fpre`: the options of an output.
        case preset = "ffpreset"
        /// For `-f concat`: an input and its options.
        case script = "ffconcat"
    }

    package let kind: Kind
    /// Marks the place of the file's path in the arguments, and is shown instead of it: `{secret.ffpreset}`.
    package let token: String
    let contents: String
    /// The values that must not be shown.
    let secrets: [String]

    init(kind: Kind, contents: String, secrets: [String]) {
        self.kind = kind
        token = "{secret.\(kind.rawValue)}"
        self.contents = contents
        self.secrets = secrets
    }

    package var description: String { token }
    package var debugDescription: String { token }
    package var customMirror: Mirror { Mirror(self, children: ["token": token]) }

    /// The longest `name=value` line that FFmpeg 5.1 reads from a preset, in bytes. It treats the rest of a longer line
    /// as a line of its own.
    private static let longestPresetLine = 990

    /// An options file for `-fpre`, which has to be before `-f` in the arguments.
    static func preset(_ options: [(name: String, value: String)], for ffmpeg: FFmpegCapabilities) throws(CommandError)
        -> SecretFile
    {
        var contents = ""
        for option in options {
            try refuseControlCharacters(option.value, what: option.name)
            guard !option.value.isEmpty else { throw .emptySecret(option: option.name) }
            guard option.name.utf8.count + 1 + option.value.utf8.count <= longestPresetLine else {
                throw .secretTooLong(option: option.name, limit: longestPresetLine - option.name.utf8.count - 1)
            }
            contents += "\(option.name)=\(option.value)\n"
        }
        // In FFmpeg 9.0 `target` is the only option that passes the options before it on to the output. It also sets a
        // format, which the arguments after the file set again, and a rate. The time base keeps timestamps from being
        // rounded to that rate, and only the stream's description has it.
        if !ffmpeg.presetReachesOutput { contents += "target=ntsc-dv\ntime_base=1:90000\n" }
        return SecretFile(
            kind: .preset, contents: contents, secrets: options.flatMap { URLMask.secrets(inKey: $0.value) })
    }

    /// An ffconcat script with one input.
    static func script(
        url: String, options: [(name: String, value: String)], secrets: [String]
    ) throws(CommandError) -> SecretFile {
        try refuseControlCharacters(url, what: "url")
        var contents = "ffconcat version 1.0\nfile \(quoted(url))\n"
        for option in options {
            try refuseControlCharacters(option.value, what: option.name)
            contents += "option \(option.name) \(quoted(option.value))\n"
        }
        return SecretFile(kind: .script, contents: contents, secrets: secrets)
    }

    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// A line break would begin a new option.
    private static func refuseControlCharacters(_ value: String, what: String) throws(CommandError) {
        guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw .controlCharacter(option: what)
        }
    }
}
