/// FFmpeg's messages when it refuses a part of a command line, with a name for each refused part: one list for both.
struct RefusalWords: Sendable {
    /// The message without the names of its parts, cut at each `*`. A `*` matches any text within a line.
    private let pieces: [[UInt8]]
    /// For display. `$1` is replaced by the text of the first `*`.
    private let name: String
    /// Texts of a `*` with which the message does not mean a refusal.
    private let others: Set<String>

    private init(_ words: String, _ name: String, except others: Set<String> = []) {
        pieces = words.split(separator: "*", omittingEmptySubsequences: false).map { Array($0.utf8) }
        self.name = name
        self.others = others
    }

    private static let lineFeed = UInt8(ascii: "\n")
    private static let fullStop = UInt8(ascii: ".")
    /// FFmpeg's names for the codec of a stream that it does not know.
    private static let noCodec: Set<String> = ["none", "unknown_codec"]
    /// The most characters of FFmpeg's text that are shown.
    private static let longest = 80

    /// The refused part. `nil` if this is another message.
    ///
    /// - Parameter text: A message, followed by a line feed and the next message.
    func refused(in text: [UInt8]) -> String? {
        guard let first = pieces.first, text.starts(with: first) else { return nil }
        var rest = text[first.count...]
        var found: [String] = []
        for piece in pieces.dropFirst() {
            guard let start = Self.start(of: piece, in: rest) else { return nil }
            found.append(String(decoding: rest[..<start], as: UTF8.self))
            rest = rest[(start + piece.count)...]
        }
        return others.isDisjoint(with: found) ? called(found) : nil
    }

    /// The position of a piece in the first line. An empty piece is at the end of the line, before its full stop.
    private static func start(of piece: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        let end = text.firstIndex(of: lineFeed) ?? text.endIndex
        guard let first = piece.first else { return text[..<end].last == fullStop ? end - 1 : end }
        var rest = text
        while let index = rest.firstIndex(of: first), index <= end {
            if rest[index...].starts(with: piece) { return index }
            rest = rest[(index + 1)...]
        }
        return nil
    }

    private func called(_ found: [String]) -> String {
        let parts = name.split(separator: "$", omittingEmptySubsequences: false)
        var text = String(parts[0])
        for part in parts.dropFirst() {
            guard let number = part.first?.wholeNumberValue, found.indices.contains(number - 1) else { continue }
            let words = found[number - 1]
            text += words.count > Self.longest ? String(words.prefix(Self.longest)) + "…" : words
            text += String(part.dropFirst())
        }
        return text
    }

    /// Messages of FFmpeg 5.1, 7.1 and 9.0 (fftools/cmdutils.c, fftools/ffmpeg_opt.c, libavutil/opt.c,
    /// libavfilter/graphparser.c, libavformat). Messages that FFmpeg also prints for other failures are left out, such
    /// as `Invalid argument`.
    ///
    /// In order of weight: an earlier entry is more precise, wherever its message is in the log.
    static let all: [RefusalWords] = [
        // Options of the program
        RefusalWords("Unrecognized option '*'", "the option -$1"),
        RefusalWords("Missing argument for option '*'", "the option -$1"),
        RefusalWords("Option * not found.", "the option -$1"),
        RefusalWords("Option * (*) cannot be applied to", "the option -$1"),
        RefusalWords("Codec AVOption * (*is not a*coding option", "the option -$1"),
        RefusalWords(
            "One of -r/-fpsmax was specified*This is contradictory", "the option -r beside -fps_mode passthrough"),
        RefusalWords("Invalid value * specified for fps_mode", "the value $1 of -fps_mode"),
        RefusalWords("Invalid time base: *", "the value $1 of -enc_time_base"),
        RefusalWords("Invalid force_key_frames expression '*'", "the value $1 of -force_key_frames"),
        RefusalWords("Invalid duration specification for *: *", "the value $2 of -$1"),
        RefusalWords("Expected number for * but found: *", "the value $2 of -$1"),
        RefusalWords("Expected int* for * but found *", "the value $3 of -$2"),
        RefusalWords("The value for * was * which is not within", "the value $2 of -$1"),
        // The line before it may contain a secret.
        RefusalWords("', parsed as '*' = '", "the option -$1 in a preset file"),
        RefusalWords("*: Invalid option or argument: '", "an option in a preset file"),
        RefusalWords("Failed to set value '*' for option '*': Option not found", "the option -$2"),
        // The message is the same for a device that does not work.
        RefusalWords(
            "Failed to set value '*' for option '*': Invalid argument", "the value $1 of -$2",
            except: ["vaapi_device", "init_hw_device", "fpre", "map"]),

        // Parts that are missing
        RefusalWords("Unknown encoder '*'", "the encoder $1"),
        RefusalWords("Unknown decoder '*'", "the decoder $1"),
        // The input's codec, in 5.1 and from 6 on. The input may have a codec that FFmpeg does not know.
        RefusalWords("Decoder (codec *) not found for input stream", "the decoder $1", except: noCodec),
        RefusalWords("Decoding requested, but no decoder found for: *", "the decoder $1", except: noCodec),
        RefusalWords("Unknown pixel format requested: *", "the pixel format $1"),
        RefusalWords("No such pixel format: *", "the pixel format $1"),
        RefusalWords("Invalid pixel format '*'", "the pixel format $1"),
        RefusalWords("Invalid device specification \"*=*\": unknown device type", "the device type $1"),
        RefusalWords("Unknown input format: '*'", "the input format $1"),
        RefusalWords("Requested output format '*'", "the output format $1"),

        // Filters
        RefusalWords("No such filter: '*'", "the filter $1"),
        RefusalWords("Error applying option '*' to filter '*'", "the option $1 of the filter $2"),
        RefusalWords("Option '*' not found\nError initializing filter '*'", "the option $1 of the filter $2"),
        RefusalWords(
            "Option '*' not found\nError parsing bitstream filter sequence '*=",
            "the option $1 of the bitstream filter $2"),
        RefusalWords("Option '*' not found", "the option $1 of a filter"),
        RefusalWords("Could not set non-existent option '*'", "the option $1 of a filter"),
        RefusalWords("No option name near '*'", "a filter with the argument $1"),
        RefusalWords(
            "Error parsing bitstream filter sequence '*': Bitstream filter not found", "the bitstream filter $1"),

        // Values of encoders, formats and protocols
        RefusalWords("Error setting option * to value *", "the value $2 of -$1"),
        RefusalWords("x264 [error]: invalid preset '*'", "the value $1 of -preset"),
        RefusalWords("x264 [error]: invalid tune '*'", "the value $1 of -tune"),
        RefusalWords("Error setting preset/tune */(null)", "the value $1 of -preset"),
        RefusalWords("Error setting preset/tune (null)/*", "the value $1 of -tune"),
        RefusalWords("Error setting preset/tune */*", "the values $1 of -preset and $2 of -tune together"),
        RefusalWords("Error setting profile *", "the value $1 of -profile"),
        RefusalWords("Invalid or incompatible profile set: *", "the value $1 of -profile"),

        // Addresses
        RefusalWords("Query string option '*' does not exist", "the parameter $1 of an address"),
        RefusalWords(
            "Query string option '*' value is too long", "the parameter $1 of an address, \(RefusedOption.tooLong)"),
        RefusalWords(
            "failed to set option SRTO_* on socket: Operation not supported: Bad parameters",
            "the value of SRTO_$1 of an address",
            except: ["PASSPHRASE"]),
        RefusalWords("You must specify \"ipv6only\"", RefusedOption.wildcardListener),
        // libsrt's message for an FFmpeg that does not know the option.
        RefusalWords("Operation not supported: Bad parameters", RefusedOption.wildcardListener),
        RefusalWords("Error opening output *://*: Protocol not found", "the protocol $1"),
        RefusalWords("Error opening input: Protocol not found\nDid you mean file:*://", "the protocol $1"),
        RefusalWords("Error opening input: Protocol not found\nError opening input file *://", "the protocol $1"),
        RefusalWords("*://*: Protocol not found", "the protocol $1"),

        // Less precise messages
        RefusalWords("Unable to parse \"*\" option value \"*\"", "the value $2 of $1"),
        RefusalWords("Value * for parameter '*' out of range", "the value $1 of $2"),
        RefusalWords("Unable to parse option value \"*\"", "the value $1"),
        RefusalWords("Undefined constant or missing '(' in '*'", "the value $1"),
        RefusalWords("*Protocol not found", "the protocol of an address"),
        RefusalWords("*Bitstream filter not found", "a bitstream filter that it is told to use"),
        RefusalWords("*Option not found", "an option that it is given"),
    ]
}
