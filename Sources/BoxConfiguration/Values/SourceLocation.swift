/// A place in the configuration file. Both numbers start at 1; columns count Unicode scalars.
package struct SourceLocation: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The location of a value that was created in code.
    package static let none = SourceLocation(line: 0, column: 0)

    package static func < (first: SourceLocation, second: SourceLocation) -> Bool {
        (first.line, first.column) < (second.line, second.column)
    }

    package var description: String { "\(line):\(column)" }
}

/// A property that comparisons ignore: a reload must not touch a channel that only moved to another line.
@propertyWrapper
package struct EqualityIgnored<Value: Sendable>: Sendable, Equatable, CustomReflectable {
    package var wrappedValue: Value

    package init(wrappedValue: Value) { self.wrappedValue = wrappedValue }

    package static func == (first: Self, second: Self) -> Bool { true }

    package var customMirror: Mirror { Mirror(reflecting: wrappedValue) }
}
