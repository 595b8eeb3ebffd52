/// Why a text is not the value it should be: a sentence without its subject, such as
/// `has no unit; write a duration such as 500ms, 2s, 10m or 1h`, so that whoever reads the
/// text can put the name of the field and the text before it.
public struct NotationError: Error, Equatable, Sendable, CustomStringConvertible {
    public let message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}
