/// What an FFmpeg refused of a command line: an option, a value, an encoder, a filter, a format or a protocol that it does not have.
public struct RefusedOption: Sendable, Hashable, CustomStringConvertible {
    /// For people: `the option -vsync`, `the encoder libx264`, `the value -1 of -enc_time_base`.
    public let description: String

    /// Texts of FFmpeg 5.1, 7.1 and 9.0 that tell a refusal (fftools/cmdutils.c, fftools/ffmpeg_opt.c, libavutil/opt.c,
    /// libavfilter/graphparser.c, libavformat). Not among them is what it says of other failures too, such as `Invalid argument`.
    static let marks = [
        "Unknown encoder", "Unrecognized option", "Option not found", "Missing argument for option", "Error setting option", "Invalid time base",
        "This is contradictory", "specified for fps_mode", "Error applying option", "Could not set non-existent option", "No such filter",
        "Bitstream filter not found", "No option name near", "Protocol not found", "Unknown input format", "Requested output format",
        "is not a decoding option", "is not an encoding option", "is not a encoding option", "Invalid option or argument", "You must specify \"ipv6only\"",
        "Operation not supported: Bad parameters",
    ]

    /// Reads the messages of a process that ended; `nil` where none tells a refusal.
    public init?(_ log: LogExcerpt) {
        for line in log.all {
            guard let description = Self.refusal(in: LogLine.withoutPrefixes(line)) else { continue }
            self.description = description
            return
        }
        return nil
    }

    static let wildcardListener = "an SRT listener on [::]"

    private static func refusal(in text: String) -> String? {
        let quoted = { (before: String) -> Substring? in
            guard let start = text.firstRange(of: before + "'"), let end = text[start.upperBound...].firstIndex(of: "'") else { return nil }
            return text[start.upperBound..<end]
        }
        if let name = quoted("Unrecognized option ") ?? quoted("Missing argument for option ") ?? quoted("Could not set non-existent option ") {
            return "the option -\(name)"
        }
        if text.hasPrefix("Option "), text.hasSuffix(" not found.") { return "the option -\(text.dropFirst(7).dropLast(11))" }
        if let name = quoted("Unknown encoder ") { return "the encoder \(name)" }
        if let name = quoted("No such filter: ") { return "the filter \(name)" }
        if text.hasPrefix("No option name near"), let filter = quoted("") { return "a filter with the argument \(filter)" }
        if let option = quoted("Error applying option "), let filter = quoted(" to filter ") { return "the option \(option) of the filter \(filter)" }
        if text.contains("Bitstream filter not found"), let name = quoted("bitstream filter sequence ") { return "the bitstream filter \(name)" }
        if let name = quoted("Unknown input format: ") { return "the input format \(name)" }
        if let name = quoted("Requested output format ") { return "the output format \(name)" }
        if text.hasPrefix("Error setting option "), let middle = text.firstRange(of: " to value ") {
            let name = text[text.index(text.startIndex, offsetBy: 21)..<middle.lowerBound]
            return "the value \(text[middle.upperBound...].prefix { $0 != "." }) of -\(name)"
        }
        if text.hasPrefix("Invalid time base: ") { return "the value \(text.dropFirst(19)) of -enc_time_base" }
        if text.contains("This is contradictory") { return "the option -r beside -fps_mode passthrough" }
        if text.contains("specified for fps_mode") { return "the value of -fps_mode" }
        if text.contains("Protocol not found") { return "the protocol of an address" }
        // The second is libsrt's, of an FFmpeg that does not know the option.
        if text.contains("ipv6only") || text == "Operation not supported: Bad parameters" { return wildcardListener }
        if text.hasPrefix("Codec AVOption ") { return "the option -\(text.dropFirst(15).prefix { $0 != " " })" }
        return nil
    }
}
