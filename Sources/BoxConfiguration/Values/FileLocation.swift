/// A line and a column of the configuration file. Both start at 1; columns count Unicode scalars.
package struct FileLocation: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let line: Int
    package let column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// The location of a value that was created in code.
    package static let none = FileLocation(line: 0, column: 0)

    package static func < (first: FileLocation, second: FileLocation) -> Bool {
        (first.line, first.column) < (second.line, second.column)
    }

    package var description: String { "\(line):\(column)" }
}
