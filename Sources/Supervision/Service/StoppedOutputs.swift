/// The groups and targets that the operator stopped. Everything else is wanted.
package struct StoppedOutputs: Sendable, Hashable, Codable {
    /// Names, unique in a configuration. A name that the configuration no longer has is kept: it may come back.
    package var groups: Set<String> = []
    package var targets: Set<String> = []

    package init() {}
}
