package import MediaTypes

/// The notation of a frame size in the configuration: `1920x1080`. Both sides are from 16 to 8192, and even, because
/// every encoder here works with 4:2:0 chroma.
extension FrameSize {
    static let expectedForm = "a size such as 1920x1080"
    package static let limits = 16...8192

    package init(parsing text: String) throws(ParseError) {
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let width = DecimalNotation.wholeNumber(parts[0]),
            let height = DecimalNotation.wholeNumber(parts[1])
        else { throw ParseError("is not a size; write \(Self.expectedForm)") }
        for (side, name) in [(width, "width"), (height, "height")] {
            guard Self.limits.contains(side) else {
                throw ParseError("has a \(name) out of range; allowed: even numbers from 16 to 8192")
            }
            guard side % 2 == 0 else {
                throw ParseError("has an odd \(name); allowed: even numbers from 16 to 8192")
            }
        }
        self.init(width: width, height: height)
    }
}
