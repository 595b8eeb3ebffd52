/// The groups and targets that the operator stopped. Everything else is wanted.
package struct StoppedOutputs: Sendable, Hashable, Codable {
    /// The names of the groups, which are unique in a configuration. A name that is no longer in the configuration is
    /// kept, because it may return.
    package var groups: Set<String> = []
    package var targets: Set<String> = []

    package init() {}
}
