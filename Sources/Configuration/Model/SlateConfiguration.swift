/// What is shown when no source delivers: a plain card unless an image or a text is given.
public struct SlateConfiguration: Sendable, Equatable {
    /// How long the picture may be missing before the slate comes, 100ms to 1h; 1s by default.
    public var after: Duration
    /// An image file that exists.
    public var image: String?
    /// At most 200 characters.
    public var text: String?

    public static let afterLimits = Duration.milliseconds(100)...Duration.seconds(3600)

    public init(after: Duration = .seconds(1), image: String? = nil, text: String? = nil) {
        self.after = after
        self.image = image
        self.text = text
    }
}
