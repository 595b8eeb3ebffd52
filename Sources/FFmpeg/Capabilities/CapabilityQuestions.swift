/// The questions that FFmpeg answers about its capabilities, and the parsers of its answers.
enum CapabilityQuestions: CaseIterable {
    case version, encoders, decoders, filters, bitstreamFilters, protocols, formats, options
    case srtOptions, rtspOptions, x265Options, hwaccels, rateWithPassthrough, preset

    var arguments: [String] {
        switch self {
        case .version: ["-hide_banner", "-version"]
        case .encoders: ["-hide_banner", "-encoders"]
        case .decoders: ["-hide_banner", "-decoders"]
        case .filters: ["-hide_banner", "-filters"]
        case .bitstreamFilters: ["-hide_banner", "-bsfs"]
        case .protocols: ["-hide_banner", "-protocols"]
        case .formats: ["-hide_banner", "-formats"]
        case .options: ["-hide_banner", "-h", "long"]
        case .srtOptions: ["-hide_banner", "-h", "protocol=srt"]
        case .rtspOptions: ["-hide_banner", "-h", "demuxer=rtsp"]
        case .x265Options: ["-hide_banner", "-h", "encoder=libx265"]
        case .hwaccels: ["-hide_banner", "-hwaccels"]
        // Asked with a real command: no list says which options may be combined.
        case .rateWithPassthrough:
            [
                "-hide_banner", "-nostdin", "-loglevel", "quiet", "-f", "lavfi", "-i", "color=size=16x16:rate=30",
                "-frames:v", "1",
                "-fps_mode", "passthrough", "-r", "30", "-f", "null", "-",
            ]
        // Asked with a real command, too: if the option does not reach the muxer, the muxer uses its own hash.
        case .preset:
            [
                "-hide_banner", "-nostdin", "-loglevel", "quiet", "-f", "lavfi", "-i", "color=size=16x16:rate=30",
                "-frames:v", "1",
                "-fpre", "/dev/stdin", "-f", "hash", "-",
            ]
        }
    }

    /// The data for its standard input.
    var input: String { self == .preset ? "hash=md5\n" : "" }

    /// Reads the tables of `-encoders`: ` V....D libx264   libx264 H.264 …` below a line of dashes.
    static func encoders(in text: String) -> Set<String> {
        Set(table(text).compactMap { row in row.count >= 2 ? String(row[1]) : nil })
    }

    /// Reads `-decoders`, whose table has the form of `-encoders`: the names, and the codec of a library's decoder, as
    /// in ` V....D libopenh264  OpenH264 … (codec h264)`. Other decoders not named after their codec need a device.
    static func decoders(in text: String) -> Set<String> {
        var names: Set<String> = []
        for row in table(text) where row.count >= 2 {
            names.insert(String(row[1]))
            guard row.count > 2, row[1].hasPrefix("lib"), row[2].hasSuffix(")") else { continue }
            guard let mark = row[2].firstRange(of: "(codec ") else { continue }
            names.insert(String(row[2][mark.upperBound...].dropLast()))
        }
        return names
    }

    /// Reads `-filters`: ` T.C scale   V->V   Scale the input …`. The legend above the table has no arrow.
    static func filters(in text: String) -> Set<String> {
        Set(
            lines(text).compactMap { line in
                let fields = line.split(separator: " ", maxSplits: 3)
                return fields.count >= 3 && fields[2].contains("->") ? String(fields[1]) : nil
            })
    }

    /// Reads `-bsfs` and `-hwaccels`: one name a line below a heading.
    static func names(in text: String) -> Set<String> {
        Set(lines(text).filter { !$0.hasSuffix(":") }.map { String($0.drop { $0 == " " }) })
    }

    /// Reads `-protocols`: indented names below `Input:` and below `Output:`.
    static func protocols(in text: String) -> (input: Set<String>, output: Set<String>) {
        var input: Set<String> = []
        var output: Set<String> = []
        var isOutput = false
        for line in lines(text) {
            switch line {
            case "Input:": isOutput = false
            case "Output:": isOutput = true
            case _ where line.hasPrefix("  "):
                let name = String(line.drop { $0 == " " })
                if isOutput { output.insert(name) } else { input.insert(name) }
            default: break
            }
        }
        return (input, output)
    }

    /// Reads `-formats`: ` DE mpegts   MPEG-TS …`, or ` D d v4l2,alias   …` for a device, below a line of dashes.
    static func formats(in text: String) -> (demuxers: Set<String>, muxers: Set<String>) {
        var demuxers: Set<String> = []
        var muxers: Set<String> = []
        for line in lines(text).drop(while: { !isRule($0) }).dropFirst() {
            // Three columns of flags since FFmpeg 7, two before. Each is a letter or a space.
            let flags = line.dropFirst().prefix(3)
            guard let name = line.dropFirst(3).split(separator: " ").first(where: { $0 != "d" }) else { continue }
            for alias in name.split(separator: ",").map(String.init) {
                if flags.first == "D" { demuxers.insert(alias) }
                if flags.dropFirst().first == "E" { muxers.insert(alias) }
            }
        }
        return (demuxers, muxers)
    }

    /// Reads `-h long`: `-fps_mode[:<stream_spec>] <>   set framerate mode …`.
    static func options(in text: String) -> Set<String> {
        Set(
            lines(text).compactMap { line in
                guard line.first == "-" else { return nil }
                let name = line.dropFirst().prefix { $0 != " " && $0 != "[" }
                return name.isEmpty ? nil : String(name)
            })
    }

    /// Reads `-h protocol=srt`, `-h demuxer=rtsp` and `-h encoder=libx265`: `  -latency   <int64>   ED.........
    /// receiver delay …`, below lines that do not begin with a space.
    static func privateOptions(in text: String) -> Set<String> {
        Set(
            lines(text).compactMap { line in
                let line = line.drop { $0 == " " }
                return line.first == "-" ? line.dropFirst().split(separator: " ").first.map(String.init) : nil
            })
    }

    private static func lines(_ text: String) -> [Substring] { text.split(whereSeparator: \.isNewline) }

    private static func table(_ text: String) -> [[Substring]] {
        lines(text).drop { !isRule($0) }.dropFirst().map { $0.split(separator: " ", maxSplits: 2) }
    }

    /// A line of dashes: ` ------` or ` --`.
    private static func isRule(_ line: Substring) -> Bool {
        let dashes = line.drop { $0 == " " }
        return dashes.count >= 2 && dashes.allSatisfy { $0 == "-" }
    }
}
