import MediaTypes
import Testing

@Suite struct PixelAspectTests {
    @Test("a ratio is reduced to lowest terms")
    func lowestTerms() {
        let pixel = PixelAspect(width: 128, height: 90)
        #expect(pixel.width == 64 && pixel.height == 45)
        #expect(PixelAspect(width: 7, height: 7) == .square)
    }

    @Test(
        "a ratio that no video has becomes square, and up to 8:1 is kept",
        arguments: [(8, 1, true), (1, 8, true), (9, 1, false), (100, 1, false), (0, 1, false), (1, -1, false)])
    func sensible(width: Int, height: Int, isKept: Bool) {
        let pixel = PixelAspect(width: width, height: height)
        #expect((pixel != .square) == isKept)
        if isKept { #expect(pixel.width == width && pixel.height == height) }
    }
}
