/// One output group: encoded once, sent to every target.
package struct GroupConfiguration: Sendable, Equatable {
    /// The name, `[a-z0-9][a-z0-9-]{0,31}`, which is unique in the file.
    package var name: String
    package var video: VideoOutput
    package var audio: AudioOutput
    /// Whether the group's feed can be read on a local port. The default is false.
    package var tap: Bool
    package var targets: [TargetConfiguration]
    /// The location of the group in the file. `==` ignores it.
    @EqualityIgnored package var location: FileLocation

    package init(
        name: String, video: VideoOutput = .encode(VideoEncoding()),
        audio: AudioOutput = .encode(AudioEncoding()), tap: Bool = false,
        targets: [TargetConfiguration] = [], location: FileLocation = .none
    ) {
        self.name = name
        self.video = video
        self.audio = audio
        self.tap = tap
        self.targets = targets
        self.location = location
    }
}
