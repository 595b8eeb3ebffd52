/// What `ffmpeg -version` says of itself.
public struct FFmpegVersion: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The word after `ffmpeg version`, as printed: `5.1.9-0+deb12u1`, `n6.0`, `N-109468-gd39b34123d`.
    public let text: String
    /// The release, where the word names one; git snapshots do not.
    public let release: Release?
    /// The major number of libavutil, printed by every build; 57 came with FFmpeg 5.0.
    public let libavutilMajor: Int?

    /// A release number such as 5.1.
    public struct Release: Sendable, Hashable, Codable, Comparable {
        public let major: Int
        public let minor: Int

        public init(major: Int, minor: Int) {
            self.major = major
            self.minor = minor
        }

        public static func < (a: Release, b: Release) -> Bool {
            (a.major, a.minor) < (b.major, b.minor)
        }
    }

    /// The oldest release that is tested.
    public static let oldestSupported = Release(major: 5, minor: 1)

    /// Reads the output of `ffmpeg -version`; `nil` when it is not FFmpeg's.
    public init?(output: String) {
        let lines = output.split(whereSeparator: \.isNewline)
        let start = "ffmpeg version "
        guard let first = lines.first, first.hasPrefix(start) else { return nil }
        let word = first.dropFirst(start.count).prefix { $0 != " " }
        guard !word.isEmpty else { return nil }
        text = String(word)
        release = Self.release(in: word)
        libavutilMajor = lines.first { $0.hasPrefix("libavutil ") }
            .flatMap { line in
                Int(line.dropFirst("libavutil ".count).drop { $0 == " " }.prefix { $0.isNumber })
            }
    }

    /// Whether this build can run the command lines. A build without a release number is judged by its libavutil.
    public var isSupported: Bool {
        if let release { return release >= Self.oldestSupported }
        return (libavutilMajor ?? 0) >= 57
    }

    public var description: String { text }

    /// `5.1.9-0+deb12u1` and `n6.0` name a release; `N-109468-g…`, `git-2023-…` and `2024-01-02-git-…` do not.
    private static func release(in word: Substring) -> Release? {
        let number = word.first == "n" || word.first == "v" ? word.dropFirst() : word
        let fields = number.prefix { $0.isNumber || $0 == "." }.split(separator: ".")
        guard let first = fields.first, let major = Int(first), major < 1000 else { return nil }
        guard number.contains(".") || number.allSatisfy(\.isNumber) else { return nil }
        return Release(major: major, minor: fields.count > 1 ? Int(fields[1]) ?? 0 : 0)
    }
}
