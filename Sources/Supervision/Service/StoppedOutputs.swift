/// The groups and targets that the operator stopped. Everything else is wanted.
package struct StoppedOutputs: Sendable, Hashable, Codable {
    /// Names, which are unique in a configuration. A name that the configuration no longer has is kept, as it may
    /// return.
    package var groups: Set<String> = []
    package var targets: Set<String> = []

    package init() {}
}
