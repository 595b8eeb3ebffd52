/// The groups and targets that the operator stopped. Everything else is wanted.
public struct StoppedOutputs: Sendable, Hashable, Codable {
    /// Names, unique in a configuration. A name that the configuration no longer has is kept: it may come back.
    public var groups: Set<String> = []
    public var targets: Set<String> = []

    public init() {}
}
