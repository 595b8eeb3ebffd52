/// One channel: sources by priority, the slate for when none delivers, and the output groups.
package struct ChannelConfiguration: Sendable, Equatable {
    /// `[a-z0-9][a-z0-9-]{0,31}`, unique among channels.
    package var name: String
    /// At least one source, by priority: the first that delivers is on air.
    package var sources: [SourceConfiguration]
    package var slate: SlateConfiguration
    package var mezzanine: MezzanineConfiguration
    /// Whether the channel's feed can be read on a local port; false by default.
    package var tap: Bool
    package var groups: [GroupConfiguration]
    /// The location of the channel in the file; not part of equality.
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
