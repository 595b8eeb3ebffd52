/// The slate of a channel: a plain card unless an image or a text is given.
package struct SlateConfiguration: Sendable, Equatable {
    /// How long frames may be missing before the slate goes on air, 100ms to 1h; 1s by default.
    package var after: Duration
    /// An image file that exists.
    package var image: String?
    /// At most 200 characters.
    package var text: String?

    package static let afterLimits = Duration.milliseconds(100)...Duration.seconds(3600)

    package init(after: Duration = .seconds(1), image: String? = nil, text: String? = nil) {
        self.after = after
        self.image = image
        self.text = text
    }
}
