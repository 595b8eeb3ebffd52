/// The version that `ffmpeg -version` prints.
package struct FFmpegVersion: Sendable, Hashable, Codable, CustomStringConvertible {
    /// The word after `ffmpeg version`, as printed: `5.1.9-0+deb12u1`, `n6.0`, `N-109468-gd39b34123d`.
    package let text: String
    /// The release, if the word names one. Git snapshots do not.
    package let release: Release?
    /// The version of libavutil. Every build prints it, whatever the packager calls the build.
    private let libavutil: Release?

    /// The release with the same capabilities: by its libavutil (doc/APIchanges), or by its own number if libavutil is
    /// not printed. `nil` if neither is known.
    package var equivalent: Release? {
        guard let libavutil else { return release }
        return switch (libavutil.major, libavutil.minor) {
        case (...56, _): Release(major: 4, minor: 0)
        case (57, ..<28): Release(major: 5, minor: 0)
        case (57, _): Release(major: 5, minor: 1)
        case (58, ..<29): Release(major: 6, minor: 0)
        case (58, _): Release(major: 6, minor: 1)
        case (59, ..<39): Release(major: 7, minor: 0)
        case (59, _): Release(major: 7, minor: 1)
        // From here on each new major version of FFmpeg has a new major version of the library.
        default: Release(major: libavutil.major - 52, minor: 0)
        }
    }

    /// A release number such as 5.1.
    package struct Release: Sendable, Hashable, Codable, Comparable {
        package let major: Int
        package let minor: Int

        package init(major: Int, minor: Int) {
            self.major = major
            self.minor = minor
        }

        package static func < (a: Release, b: Release) -> Bool {
            (a.major, a.minor) < (b.major, b.minor)
        }
    }

    /// The oldest release that is tested.
    package static let oldestSupported = Release(major: 5, minor: 1)

    /// Reads the output of `ffmpeg -version`. `nil` if the program is not FFmpeg.
    package init?(output: String) {
        let lines = output.split(whereSeparator: \.isNewline)
        let start = "ffmpeg version "
        // A wrapper script may print its own lines first.
        guard let banner = lines.first(where: { $0.hasPrefix(start) }) else { return nil }
        let word = banner.dropFirst(start.count).prefix { $0 != " " }
        guard !word.isEmpty else { return nil }
        text = String(word)
        release = Self.release(in: word)
        libavutil = lines.first { $0.hasPrefix("libavutil ") }
            .flatMap { line in
                // `libavutil      59. 39.100 / 59. 39.100`
                let fields = line.dropFirst("libavutil ".count).prefix { $0 != "/" }.split(separator: ".").map {
                    $0.filter { $0 != " " }
                }
                guard fields.count >= 2, let major = Int(fields[0]), let minor = Int(fields[1]) else { return nil }
                return Release(major: major, minor: minor)
            }
    }

    /// Whether the service may use this build. This includes a snapshot shortly before the oldest release, and a build
    /// that prints no version number: the self-check finds out which options it refuses.
    package var isSupported: Bool {
        guard let equivalent else { return true }
        return equivalent >= (release == nil ? Release(major: 5, minor: 0) : Self.oldestSupported)
    }

    package var description: String { text }

    /// `5.1.9-0+deb12u1` and `n6.0` name a release; `N-109468-g…`, `git-2023-…` and `2024-01-02-git-…` do not.
    private static func release(in word: Substring) -> Release? {
        let number = word.first == "n" || word.first == "v" ? word.dropFirst() : word
        let fields = number.prefix { $0.isNumber || $0 == "." }.split(separator: ".")
        guard let first = fields.first, let major = Int(first), major < 1000 else { return nil }
        guard number.contains(".") || number.allSatisfy(\.isNumber) else { return nil }
        return Release(major: major, minor: fields.count > 1 ? Int(fields[1]) ?? 0 : 0)
    }
}
