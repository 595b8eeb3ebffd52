import Glibc

/// The installed fonts, and the one that a text needs. FFmpeg draws a text with one font, and draws characters that the
/// font lacks as empty boxes.
enum Fonts {
    /// A font that has Latin, Greek, Cyrillic, Arabic, Hebrew and more. `nil` if none is installed.
    static var any: String? { usual.first { access($0, R_OK) == 0 } }

    enum Choice: Sendable, Hashable {
        /// The path of a font.
        case font(String)
        /// No installed font has the characters of the text. The value names the Debian package of a font that has
        /// them.
        case missing(package: String)
    }

    /// Chooses the font for a text.
    ///
    /// - Parameter isThere: Returns whether a file exists.
    static func choose(for text: String, isThere: (String) -> Bool = { access($0, R_OK) == 0 }) -> Choice {
        let script = script(of: text)
        let candidates = script?.fonts ?? usual
        if let font = candidates.first(where: isThere) { return .font(font) }
        return .missing(package: script?.package ?? "fonts-dejavu-core")
    }

    /// Whether a text mixes scripts that no font has together, so that part of it is drawn as empty boxes.
    static func lacksPart(of text: String) -> Bool {
        guard let script = script(of: text) else { return false }
        let own = script.ranges + script.others + [latin]
        return text.unicodeScalars.contains { scalar in
            scalar.value > 0x7F && scalar.properties.isAlphabetic && !own.contains { $0.contains(scalar.value) }
        }
    }

    private static func script(of text: String) -> Script? {
        scripts.first { script in
            text.unicodeScalars.contains { scalar in script.ranges.contains { $0.contains(scalar.value) } }
        }
    }

    /// Latin with accents.
    private static let latin: ClosedRange<UInt32> = 0x0041...0x024F

    private static let folder = "/usr/share/fonts"

    private static let usual = [
        "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/truetype/noto/NotoSans-Bold.ttf", "/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf",
        "/usr/share/fonts/truetype/liberation/LiberationSans-Bold.ttf",
        "/usr/share/fonts/truetype/freefont/FreeSansBold.ttf",
    ]

    /// A script that the usual fonts lack. Its fonts have Latin too.
    private struct Script {
        let ranges: [ClosedRange<UInt32>]
        let fonts: [String]
        let package: String
        /// Other characters that its fonts have, besides Latin.
        var others: [ClosedRange<UInt32>] = []
    }

    /// The blocks of Unicode and the names of Noto's fonts, as Debian 12 and 13 install them.
    private static let scripts: [Script] =
        [
            // Han, Hiragana, Katakana, Hangul, Bopomofo, their punctuation and wide forms.
            Script(
                ranges: [
                    0x1100...0x11FF, 0x2E80...0x31FF, 0x3200...0x9FFF, 0xA960...0xA97F, 0xAC00...0xD7FF,
                    0xF900...0xFAFF, 0xFE30...0xFE4F, 0xFF00...0xFFEF, 0x20000...0x323AF,
                ],
                fonts: [
                    "opentype/noto/NotoSansCJK-Bold.ttc", "opentype/noto/NotoSansCJK-Regular.ttc",
                    "opentype/noto/NotoSansCJKjp-Regular.otf",
                    "truetype/wqy/wqy-zenhei.ttc", "truetype/droid/DroidSansFallbackFull.ttf",
                ].map { "\(folder)/\($0)" }, package: "fonts-noto-cjk",
                // Greek and Cyrillic.
                others: [0x0370...0x052F])
        ]
        + [
            (0x0900...0x097F, "Devanagari"), (0x0980...0x09FF, "Bengali"), (0x0A00...0x0A7F, "Gurmukhi"),
            (0x0A80...0x0AFF, "Gujarati"), (0x0B00...0x0B7F, "Oriya"),
            (0x0B80...0x0BFF, "Tamil"), (0x0C00...0x0C7F, "Telugu"), (0x0C80...0x0CFF, "Kannada"),
            (0x0D00...0x0D7F, "Malayalam"), (0x0D80...0x0DFF, "Sinhala"),
            (0x0E00...0x0E7F, "Thai"), (0x1000...0x109F, "Myanmar"), (0x1200...0x137F, "Ethiopic"),
            (0x1780...0x17FF, "Khmer"),
        ].map { (range: ClosedRange<UInt32>, name: String) in
            Script(
                ranges: [range],
                fonts: ["Bold", "Regular"].map { "\(folder)/truetype/noto/NotoSans\(name)-\($0).ttf" },
                package: "fonts-noto-core")
        }
}
