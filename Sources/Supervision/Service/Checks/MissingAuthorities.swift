package import BoxConfiguration
import FFmpeg

/// Finds the targets and pulls whose servers cannot be checked because no authorities are installed.
package enum MissingAuthorities {
    /// - Returns: One sentence for each, in the order of the file. Empty if the authorities are installed.
    package static func notices(for configuration: BoxConfiguration) -> [String] {
        notices(for: configuration, areInstalled: SystemAuthorities.areInstalled)
    }

    static func notices(for configuration: BoxConfiguration, areInstalled: Bool) -> [String] {
        guard !areInstalled else { return [] }
        var subjects: [String] = []
        for channel in configuration.channels {
            for source in channel.sources where CertificateQuestion(source.kind)?.asksSystem == true {
                subjects.append("source \(source.id) of \(channel.name)")
            }
            for target in channel.groups.flatMap(\.targets) {
                guard CertificateQuestion(target.destination)?.asksSystem == true else { continue }
                subjects.append("target \(target.name)")
            }
        }
        return subjects.map { "\($0): \(FailureCause.noAuthorities.sentenceWithAdvice())" }
    }
}
