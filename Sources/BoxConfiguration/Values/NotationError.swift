/// Why a text is not the value it should be: a sentence without its subject, such as
/// `has no unit; write a duration such as 500ms, 2s, 10m or 1h`, so that whoever reads the
/// text can put the name of the field and the text before it.
package struct NotationError: Error, Equatable, Sendable, CustomStringConvertible {
    package let message: String

    package init(_ message: String) { self.message = message }

    package var description: String { message }
}
