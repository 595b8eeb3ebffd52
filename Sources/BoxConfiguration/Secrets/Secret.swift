/// A stream key, a passphrase, a stream id or a password. It prints as `****`. Only ``reveal()`` and
/// ``withUnsafeBytes(_:)`` give access to the text.
package struct Secret: Sendable, Equatable {
    private let bytes: [UInt8]

    package init(_ text: String) { bytes = Array(text.utf8) }

    /// The number of bytes.
    package var count: Int { bytes.count }

    package func reveal() -> String { String(decoding: bytes, as: UTF8.self) }

    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try bytes.withUnsafeBytes(body)
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "****" }
    package var debugDescription: String { "****" }
    package var customMirror: Mirror { Mirror(self, children: [], displayStyle: .struct) }
}

/// What a secret is used for. The use decides which texts are valid.
package enum SecretUse: String, Sendable, CaseIterable {
    /// A stream key or a password: any text in one line.
    case key
    /// An SRT passphrase: 10 to 79 bytes (libsrt's limits), in one line.
    case passphrase
    /// An SRT stream id: at most 512 bytes (libsrt's limit), in one line.
    case streamid

    /// Returns why `secret` is not valid for this use, as a text that begins with a verb, such as `is empty`. Returns
    /// `nil` if `secret` is valid.
    func objection(to secret: Secret) -> String? {
        let text = secret.reveal()
        if secret.count == 0 { return "is empty" }
        if text.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) {
            return "holds a line break or a control character; it must be one line"
        }
        if self == .passphrase, !(10...79).contains(secret.count) {
            return "has \(secret.count) characters; an SRT passphrase has 10 to 79"
        }
        if self == .streamid, secret.count > 512 { return "is too long; SRT allows 512 characters" }
        return nil
    }
}
