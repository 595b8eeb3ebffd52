/// A place in the configuration file. Both numbers start at 1; columns count Unicode scalars.
public struct SourceLocation: Sendable, Hashable, Comparable, CustomStringConvertible {
    public let line: Int
    public let column: Int

    public init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// Of a value that was made in code and stands in no file.
    public static let none = SourceLocation(line: 0, column: 0)

    public static func < (first: SourceLocation, second: SourceLocation) -> Bool {
        (first.line, first.column) < (second.line, second.column)
    }

    public var description: String { "\(line):\(column)" }
}

/// A property that does not count when two values are compared: a reload must not touch a channel
/// that only moved to another line.
@propertyWrapper
public struct EqualityIgnored<Value: Sendable>: Sendable, Equatable, CustomReflectable {
    public var wrappedValue: Value

    public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

    public static func == (first: Self, second: Self) -> Bool { true }

    public var customMirror: Mirror { Mirror(reflecting: wrappedValue) }
}
