/// A configuration file that can be used.
package struct ConfigurationFile: Sendable, Equatable {
    package let configuration: BoxConfiguration
    /// Warnings, and parts that this version does not support yet, sorted by location.
    package let notices: [ConfigurationProblem]

    package init(configuration: BoxConfiguration, notices: [ConfigurationProblem] = []) {
        self.configuration = configuration
        self.notices = notices
    }

    /// The most bytes that a configuration file may have.
    package static let limit = 1_048_576

    /// Reads and checks the file at `path`. Relative paths in it stay relative to the working directory of the process.
    package static func load(path: String) throws(ConfigurationError) -> ConfigurationFile {
        let text = try read(path: path)
        return try parse(text.text, name: path, ownerOnly: text.ownerOnly)
    }

    /// The text of a configuration file.
    package struct Text: Sendable, Equatable, Codable {
        package var text: String
        /// Whether only its owner can read it, so that it may hold secrets.
        package var ownerOnly: Bool

        package init(text: String, ownerOnly: Bool) {
            self.text = text
            self.ownerOnly = ownerOnly
        }
    }

    /// Reads the file at `path`, without the files that it names.
    package static func read(path: String) throws(ConfigurationError) -> Text {
        let file: LocalFile
        do {
            file = try LocalFile.read(path, limit: limit)
        } catch {
            throw ConfigurationError(problems: [
                ConfigurationProblem(
                    file: path, line: 0, column: 0, message: "the configuration file \(error.message)", severity: .error
                )
            ])
        }
        guard let text = String(validating: file.bytes, as: UTF8.self) else {
            let location = SourceText.locationOfInvalidUTF8(file.bytes)
            throw ConfigurationError(problems: [
                ConfigurationProblem(
                    file: path, line: location.line, column: location.column,
                    message: "the file is not UTF-8 text here; save it as UTF-8", severity: .error)
            ])
        }
        return Text(text: text, ownerOnly: file.ownerOnly)
    }

    /// Checks the text of a configuration.
    ///
    /// - Parameters:
    ///   - name: The name of the file in problems.
    ///   - ownerOnly: Whether only its owner can read the file, so that it may hold secrets.
    ///   - checksFiles: Whether the local files that it names are checked: some must exist, and other users must not be
    ///     able to read a file with a secret. If false, no disk is read.
    ///   - notYet: The parts that this version does not support yet.
    /// - Throws: Every mistake, in one error.
    package static func parse(
        _ text: String, name: String, ownerOnly: Bool, checksFiles: Bool = true, notYet: [NotYet] = NotYet.list
    ) throws(ConfigurationError) -> ConfigurationFile {
        let reader = ConfigurationReader(
            file: name, ownerOnly: ownerOnly, checksFiles: checksFiles, notYet: notYet)
        let configuration = reader.read(text)
        let problems = reader.sortedProblems
        let errors = problems.filter { $0.severity == .error }
        guard errors.isEmpty, let configuration else { throw ConfigurationError(problems: errors) }
        return ConfigurationFile(configuration: configuration, notices: problems)
    }
}
