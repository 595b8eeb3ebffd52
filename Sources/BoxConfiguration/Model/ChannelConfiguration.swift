/// One channel: sources by priority, the slate for when none delivers, and the output groups.
package struct ChannelConfiguration: Sendable, Equatable {
    /// The name, `[a-z0-9][a-z0-9-]{0,31}`, which is unique among channels.
    package var name: String
    /// The sources by priority, at least one. The first source that delivers is on air.
    package var sources: [SourceConfiguration]
    package var slate: SlateConfiguration
    package var mezzanine: MezzanineConfiguration
    /// Whether the channel's feed can be read on a local port. The default is false.
    package var tap: Bool
    package var groups: [GroupConfiguration]
    /// The location of the channel in the file. `==` ignores it.
    @EqualityIgnored package var location: FileLocation

    package init(
        name: String, sources: [SourceConfiguration],
        slate: SlateConfiguration = SlateConfiguration(),
        mezzanine: MezzanineConfiguration = MezzanineConfiguration(), tap: Bool = false,
        groups: [GroupConfiguration] = [], location: FileLocation = .none
    ) {
        self.name = name
        self.sources = sources
        self.slate = slate
        self.mezzanine = mezzanine
        self.tap = tap
        self.groups = groups
        self.location = location
    }
}
