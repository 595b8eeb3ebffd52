/// Something of the product that takes bytes from outside: whatever they are, it must neither crash nor hang nor grow,
/// and what comes out must be what its readers rely on.
struct FuzzTarget: Sendable {
    let name: String
    /// Bytes to begin with, where text files in `corpus/NAME` do not do.
    var seeds: [[UInt8]] = []
    /// Words of the language, for inputs that chance would not find.
    var words: [String] = []
    /// - Throws: ``Finding``
    let run: @Sendable (UnsafeRawBufferPointer) throws -> Void

    static let all: [FuzzTarget] = [
        .rtmpSession, .rtmpMedia, .amf0, .transportStream, .programTables, .splicer, .videoFormat, .ffmpegLog,
        .addresses, .configuration, .controlRequests, .httpRequests, .statusTexts,
    ]
}

/// What must not be, in words.
struct Finding: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// - Throws: ``Finding`` when the condition does not hold.
func demand(_ holds: Bool, _ sentence: @autoclosure () -> String) throws {
    guard holds else { throw Finding(sentence()) }
}

extension UnsafeRawBufferPointer {
    /// As text, with U+FFFD where it is none.
    var text: String { String(decoding: self, as: UTF8.self) }
}
