/// The capture devices of the machine, from udev's database.
public enum CaptureList {
    /// In the order of their paths. Opens them to ask for their modes, which disturbs nobody who captures.
    public static func read() -> [CaptureDevice] {
        guard let udev = Udev() else { return [] }
        let sounds = udev.devices(of: "sound").filter { $0.name.hasPrefix("card") }
        return udev.devices(of: "video4linux").compactMap { device(of: $0, sounds) }.sorted { $0.path < $1.path }
    }

    private static func device(of video: UdevDevice, _ sounds: [UdevDevice]) -> CaptureDevice? {
        guard let node = video.node else { return nil }
        var identity: V4L2Node.Identity?
        var modes: [CaptureMode]?
        if let open = try? V4L2Node(node) {
            identity = open.identity()
            if identity?.isCapture ?? false { modes = open.modes() }
        }
        // Metadata nodes and encoders are video devices too. The driver knows best; where this process may not ask it, udev has.
        guard identity?.isCapture ?? video.property("ID_V4L_CAPABILITIES")?.contains(":capture:") ?? false else { return nil }
        let usb = video.parent("usb", "usb_device")
        let bus = usb ?? video.parent("pci")
        let sound = bus.flatMap { bus in sounds.first { $0.path.hasPrefix(bus.path + "/") } }
        let model = zip([video.property("ID_VENDOR_ID")], [video.property("ID_MODEL_ID")]).compactMap { vendor, product in
            vendor.flatMap { vendor in product.map { "\(vendor):\($0)" } }
        }.first
        return CaptureDevice(
            path: video.property("ID_PATH") ?? video.path,
            // udev makes up an ID_SERIAL from the names; the short one is the device's own.
            serial: video.property("ID_SERIAL_SHORT") ?? usb?.attribute("serial"), model: model,
            name: video.property("ID_V4L_PRODUCT") ?? video.attribute("name") ?? video.name, 
            driver: identity?.driver ?? video.parent("usb", "usb_interface")?.driver ?? (usb == nil ? bus?.driver : nil),
            node: node, sound: sound.map { "hw:\($0.name.dropFirst(4))" }, usbNode: usb?.node, modes: modes, accessProblem: NodeAccess.problem(node))
    }
}
