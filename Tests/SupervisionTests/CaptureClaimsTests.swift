import BoxConfiguration
import CapabilityProbe
import FFmpeg
import MediaTypes
import Supervision
import Testing

/// The assignment of cards to sources.
@Suite struct CaptureClaimsTests {
    private func card(_ port: Int, serial: String? = nil, model: String = "0fd9:0066", node: Int? = nil)
        -> CaptureDevice
    {
        CaptureDevice(
            path: "pci-0000:00:14.0-usb-0:\(port):1.0", serial: serial, model: model, name: "Cam Link 4K",
            node: "/dev/video\(node ?? port)")
    }

    private func claims(_ sources: [(String, CaptureBinding)], _ cards: [CaptureDevice]) -> CaptureClaims {
        var claims = CaptureClaims()
        for (id, binding) in sources { claims.add(id, binding) }
        claims.set(cards)
        return claims
    }

    @Test("a source names a serial -> it has that card in any port and under any number")
    func serial() {
        var claims = claims([("a", .serial("SN2"))], [card(1, serial: "SN1"), card(2, serial: "SN2")])
        #expect(claims.device(of: "a")?.node == "/dev/video2")
        claims.set([card(1, serial: "SN2", node: 7)])
        #expect(claims.device(of: "a")?.node == "/dev/video7")
        claims.set([card(1, serial: "SN1")])
        #expect(claims.device(of: "a") == nil)
    }

    @Test("a port is named with or without interface -> that port, and not 20 for 2")
    func path() {
        for text in ["pci-0000:00:14.0-usb-0:2", "pci-0000:00:14.0-usb-0:2:1.0"] {
            #expect(claims([("a", .path(text))], [card(20), card(2)]).device(of: "a")?.node == "/dev/video2")
        }
    }

    @Test("two equal cards -> one for each source, which keeps it when the other is pulled")
    func equal() {
        var claims = claims([("a", .model("0fd9:0066")), ("b", .model("Cam Link 4K"))], [card(1), card(2)])
        #expect(claims.device(of: "a")?.node == "/dev/video1" && claims.device(of: "b")?.node == "/dev/video2")
        claims.set([card(2)])
        #expect(claims.device(of: "a") == nil && claims.device(of: "b")?.node == "/dev/video2")
        claims.set([card(1), card(2)])
        #expect(claims.device(of: "a")?.node == "/dev/video1" && claims.device(of: "b")?.node == "/dev/video2")
    }

    @Test("a card has several nodes -> the one with video, or the one that a path names")
    func nodes() {
        var (depth, colour) = (card(3, serial: "SN3"), card(3, serial: "SN3"))
        depth.modes = [CaptureMode(format: "Z16 ", width: 640, height: 480, rates: ["30"])]
        (colour.path, colour.node) = (depth.path + "-video-index2", "/dev/video9")
        colour.modes = [CaptureMode(format: "YUYV", width: 640, height: 480, rates: ["30"])]
        for binding in [CaptureBinding.any, .serial("SN3"), .path("pci-0000:00:14.0-usb-0:3"), .path(colour.path)] {
            #expect(claims([("a", binding)], [depth, colour]).device(of: "a")?.node == "/dev/video9", "\(binding)")
        }
        #expect(claims([("a", .path(depth.path))], [depth, colour]).device(of: "a")?.node == "/dev/video3")
    }

    @Test("one source names a model, one the port -> the port wins in any order")
    func exact() {
        let claims = claims(
            [("model", .model("0fd9:0066")), ("path", .path("pci-0000:00:14.0-usb-0:1"))], [card(1), card(2)])
        #expect(claims.device(of: "path")?.node == "/dev/video1" && claims.device(of: "model")?.node == "/dev/video2")
    }

    @Test("a source takes any card -> one that no other names, and gives it up for one")
    func any() {
        var claims = claims(
            [("any", .any), ("named", .serial("SN1"))], [card(1, serial: "SN1"), card(2, serial: "SN2")])
        #expect(claims.device(of: "named")?.serial == "SN1" && claims.device(of: "any")?.serial == "SN2")
        claims.add("other", .serial("SN2"))
        #expect(claims.device(of: "other")?.serial == "SN2" && claims.device(of: "any") == nil)
        claims.remove("other")
        #expect(claims.device(of: "any")?.serial == "SN2")
    }
}

/// The choice among the modes of a card.
@Suite struct CaptureSettingTests {
    private static let modes = [
        CaptureMode(format: "YUYV", width: 1920, height: 1080, rates: ["5"]),
        CaptureMode(format: "YUYV", width: 1280, height: 720, rates: ["60", "30"]),
        CaptureMode(format: "MJPG", width: 1920, height: 1080, rates: ["60", "30000/1001"]),
        CaptureMode(format: "MJPG", width: 3840, height: 2160, rates: ["120", "15"]),
        CaptureMode(format: "NV12", width: 1280, height: 720, rates: ["30"]),
        CaptureMode(format: "Z16 ", width: 4000, height: 4000, rates: ["60"]),
    ]

    private func setting(_ size: (Int, Int)? = nil, _ rate: Int? = nil, _ modes: [CaptureMode]? = modes)
        -> CaptureSetting
    {
        CaptureSetting(
            modes, size: size.map { FrameSize(width: $0.0, height: $0.1) },
            rate: rate.map { FrameRate($0) })
    }

    @Test(
        "nothing is configured -> the largest frames, at sixty a second at most")
    func best() {
        #expect("\(setting())" == "mjpeg 1920x1080 at 60")
        #expect("\(setting(nil, nil, [Self.modes[0], Self.modes[3]]))" == "mjpeg 3840x2160 at 120")
        #expect("\(setting(nil, nil, Array(Self.modes[0...2])))" == "mjpeg 1920x1080 at 60")
    }

    @Test("several modes are near -> size decides before rate, rate before format")
    func requested() {
        #expect("\(setting((1280, 720), 30))" == "nv12 1280x720 at 30")
        #expect("\(setting((1280, 720), 60))" == "yuyv422 1280x720 at 60")
        #expect("\(setting((1920, 1080), 30))" == "mjpeg 1920x1080 at 30000/1001")
        #expect("\(setting((1920, 1080), 5))" == "yuyv422 1920x1080 at 5")
        // With a rate alone it is the rate that counts.
        #expect(
            "\(setting(nil, 30))" == "mjpeg 1920x1080 at 30000/1001" && "\(setting(nil, 5))" == "yuyv422 1920x1080 at 5"
        )
        #expect("\(setting(nil, 120))" == "mjpeg 3840x2160 at 120")
        #expect(!setting((1280, 720), 60).isOther && !setting((1920, 1080), 30).isOther)
    }

    @Test("the card lacks the configured mode -> the nearest one, marked as such")
    func nearest() {
        let other = setting((1900, 1000), 50)
        #expect("\(other)" == "mjpeg 1920x1080 at 60" && other.isOther)
        let scaled = setting(
            (100, 100), nil,
            [CaptureMode(format: "NV12", width: 4096, height: 4096, leastWidth: 160, leastHeight: 90, rates: [])])
        let plain = setting(
            nil, nil,
            [
                CaptureMode(
                    format: "NV12", width: 16384, height: 8640, leastWidth: 16, leastHeight: 16, rates: ["60", "1"])
            ])
        #expect("\(plain)" == "nv12", "what arrives is taken as it is")
        #expect(scaled.size?.width == 160 && scaled.size?.height == 100 && scaled.isOther)
    }

    @Test("the signal decides -> its mode, marked as such; a card that scales -> the wish")
    func arriving() {
        let now = CardInput.Arriving(
            CaptureMode(format: "UYVY", width: 1280, height: 720, rates: ["50"]), decides: true)
        var fixed = setting((1920, 1080), nil, [])
        fixed.fill(from: now)
        #expect("\(fixed)" == "1280x720 at 50" && fixed.isOther)
        var scaled = setting(
            (1920, 1080), nil,
            [CaptureMode(format: "NV12", width: 4096, height: 4096, leastWidth: 16, leastHeight: 16, rates: [])])
        scaled.fill(from: now)
        #expect("\(scaled)" == "nv12 1920x1080 at 50" && !scaled.isOther)
    }

    @Test("a card lists no modes -> the configured mode")
    func unknown() {
        #expect("\(setting((1280, 720), 30, nil))" == "1280x720 at 30" && setting(nil, nil, []).size == nil)
    }
}
