/// One problem or notice about a configuration file.
package struct ConfigurationProblem: Sendable, Equatable, Codable, CustomStringConvertible {
    package enum Severity: String, Sendable, Codable {
        /// The file cannot be used.
        case error
        /// The file can be used, but this is probably a mistake.
        case warning
        /// The file is correct, but this version does not support this part yet.
        case notYet
    }

    /// The name of the file as it was given.
    package let file: String
    /// Counted from 1; 0 for the file as a whole.
    package let line: Int
    /// Counted from 1, in Unicode scalars; 0 for the file as a whole.
    package let column: Int
    /// One sentence that says what was found, what is allowed, and how to fix it. Secrets are masked.
    package let message: String
    package let severity: Severity

    package init(file: String, line: Int, column: Int, message: String, severity: Severity) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.severity = severity
    }

    /// `FILE:LINE:COLUMN: message`, or `FILE: message` for the file as a whole.
    package var description: String {
        line > 0 ? "\(file):\(line):\(column): \(message)" : "\(file): \(message)"
    }
}

/// Why a configuration file cannot be used: every mistake that was found, in the order of the file.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// At least one, all of severity `error`, sorted by location.
    package let problems: [ConfigurationProblem]

    package init(problems: [ConfigurationProblem]) { self.problems = problems }

    /// One line for each problem.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
