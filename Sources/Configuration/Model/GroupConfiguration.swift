/// One output group: encoded once, sent to every target.
public struct GroupConfiguration: Sendable, Equatable {
    /// `[a-z0-9][a-z0-9-]{0,31}`, unique in the file.
    public var name: String
    public var video: VideoOutput
    public var audio: AudioOutput
    /// Whether the group's feed can be read on a local port; false by default.
    public var tap: Bool
    public var targets: [TargetConfiguration]
    /// Where the group stands in the file; not part of equality.
    @EqualityIgnored public var location: SourceLocation

    public init(
        name: String, video: VideoOutput = .encode(VideoEncoding()),
        audio: AudioOutput = .encode(AudioEncoding()), tap: Bool = false,
        targets: [TargetConfiguration] = [], location: SourceLocation = .none
    ) {
        self.name = name
        self.video = video
        self.audio = audio
        self.tap = tap
        self.targets = targets
        self.location = location
    }
}
