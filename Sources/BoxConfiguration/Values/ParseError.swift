/// Why a text is not a value of the expected kind: a sentence without its subject, such as `has no unit; write a
/// duration such as 500ms, 2s, 10m or 1h`. The caller puts the name of the field and the text in front.
package struct ParseError: Error, Equatable, Sendable, CustomStringConvertible {
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}
