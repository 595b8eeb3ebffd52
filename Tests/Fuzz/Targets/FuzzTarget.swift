/// A part of the product that reads bytes from outside. For any bytes it must not crash, hang or grow, and its results
/// must have the properties that other parts rely on.
struct FuzzTarget: Sendable {
    let name: String
    /// Seeds in addition to the files in `corpus/NAME`.
    var seeds: [[UInt8]] = []
    /// A dictionary for inputs that chance would not find.
    var words: [String] = []
    /// - Throws: ``Finding``
    let run: @Sendable (UnsafeRawBufferPointer) throws -> Void

    static let all: [FuzzTarget] = [
        .rtmpSession, .rtmpMedia, .amf0, .transportStream, .programTables, .splicer, .videoFormat, .ffmpegLog,
        .addresses, .configuration, .controlRequests, .httpRequests, .statusTexts,
    ]
}

/// The description of a violated property.
struct Finding: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// - Throws: ``Finding`` when the condition does not hold.
func demand(_ holds: Bool, _ sentence: @autoclosure () -> String) throws {
    guard holds else { throw Finding(sentence()) }
}

extension UnsafeRawBufferPointer {
    /// The bytes as text, with U+FFFD for invalid ones.
    var text: String { String(decoding: self, as: UTF8.self) }
}
