/// The stream name that a publisher has to give. Its descriptions do not show it.
package struct StreamKey: Sendable, CustomStringConvertible, CustomReflectable {
    private let bytes: [UInt8]

    /// - Parameter text: Not empty.
    package init(_ text: String) {
        bytes = Array(text.utf8)
        precondition(!bytes.isEmpty)
    }

    /// Whether `name` is the key. The time that this takes depends only on the length of `name`, and not on how much of
    /// it is right.
    package func admits(_ name: String) -> Bool {
        var difference = UInt64(bytes.count ^ name.utf8.count)
        var index = 0
        for byte in name.utf8 {
            difference |= UInt64(byte ^ bytes[index])
            index = index + 1 == bytes.count ? 0 : index + 1
        }
        return difference == 0
    }

    package func isSame(as other: StreamKey) -> Bool { admits(String(decoding: other.bytes, as: UTF8.self)) }

    package var description: String { "****" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
