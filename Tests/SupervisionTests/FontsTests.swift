import Testing

@testable import Supervision

@Suite struct FontsTests {
    private let dejavu = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"

    @Test(
        "a text is drawn with a font that has its script",
        arguments: ["Back soon", "Gleich geht's weiter", "Скоро вернёмся", "Επιστρέφουμε", "حالا برمی‌گردیم", ""])
    func usual(text: String) {
        #expect(Fonts.choose(for: text) { $0 == dejavu } == .font(dejavu))
        #expect(Fonts.choose(for: text) { _ in false } == .missing(package: "fonts-dejavu-core"))
    }

    @Test(
        "a script that the usual fonts lack names the package of its font",
        arguments: [
            ("まもなく再開します", "fonts-noto-cjk"), ("马上回来", "fonts-noto-cjk"), ("곧 돌아옵니다", "fonts-noto-cjk"),
            ("Back soon 马上", "fonts-noto-cjk"),
            ("हम अभी लौटते हैं", "fonts-noto-core"), ("กลับมาเร็วๆ นี้", "fonts-noto-core"),
        ])
    func others(text: String, package: String) {
        #expect(Fonts.choose(for: text) { $0 == dejavu } == .missing(package: package))
        guard case .font(let font) = Fonts.choose(for: text, isThere: { _ in true }) else {
            return #expect(Bool(false), "no font")
        }
        #expect(font.contains(package == "fonts-noto-cjk" ? "CJK" : "NotoSans"))
    }

    @Test(
        "a text that mixes scripts of different fonts lacks a part",
        arguments: [
            ("Back soon", false), ("Скоро вернёмся. Back soon, à bientôt", false), ("马上回来 Back soon, à bientôt", false),
            ("马上回来 Скоро", false),
            ("马上回来 まもなく 곧", false), ("กลับมา, à bientôt!", false), ("马上回来 กลับมา", true),
            ("हम अभी Скоро", true), ("กลับมา حالا", true),
        ])
    func mixed(text: String, lacksPart: Bool) { #expect(Fonts.lacksPart(of: text) == lacksPart) }
}
