/// One thing to say about a configuration file.
package struct ConfigurationProblem: Sendable, Equatable, Codable, CustomStringConvertible {
    package enum Severity: String, Sendable, Codable {
        /// The file cannot be used.
        case error
        /// The file can be used; someone should look at this.
        case warning
        /// The file is right, and this version does not carry this part out.
        case notYet
    }

    /// The name of the file as it was given.
    package let file: String
    /// From 1; 0 when the file as a whole is meant.
    package let line: Int
    /// From 1, in Unicode scalars; 0 when the file as a whole is meant.
    package let column: Int
    /// One sentence: what was found, what is allowed, the mend. Secrets are masked.
    package let message: String
    package let severity: Severity

    package init(file: String, line: Int, column: Int, message: String, severity: Severity) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.severity = severity
    }

    /// `FILE:LINE:COLUMN: message`, or `FILE: message` when the file as a whole is meant.
    package var description: String {
        line > 0 ? "\(file):\(line):\(column): \(message)" : "\(file): \(message)"
    }
}

/// Why a configuration file cannot be used: every mistake that was found, in the order of the file.
package struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// At least one, all of severity `error`, sorted by place.
    package let problems: [ConfigurationProblem]

    package init(problems: [ConfigurationProblem]) { self.problems = problems }

    /// One problem a line.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
