/// The capture devices of the machine, from udev's database.
public enum CaptureList {
    /// In the order of their paths. Opens them to ask for their modes, which disturbs nobody who captures.
    public static func read() -> [CaptureDevice] {
        guard let udev = Udev() else { return [] }
        let sounds = SoundList(udev)
        let found = udev.devices(of: "video4linux").compactMap { candidate($0) }.sorted { ($0.device.path, $0.index) < ($1.device.path, $1.index) }
        return found.indices.map { position in
            let (candidate, device) = (found[position], found[position].device)
            // A card with several inputs has a node for each, and perhaps a sound card.
            let siblings = found.indices.filter { found[$0].bus != nil && found[$0].bus == candidate.bus }
            var listed = device
            listed.sound = candidate.bus.flatMap { sounds.partner(of: $0, input: siblings.firstIndex(of: position) ?? 0, of: siblings.count) }
            // All of them are at the same port; udev tells them apart as its links in /dev/v4l/by-path do.
            if found[..<position].contains(where: { $0.device.path == device.path }) { listed.path += "-video-index\(candidate.index)" }
            return listed
        }
    }

    private struct Candidate {
        var device: CaptureDevice
        /// Which of its parent's nodes it is.
        var index: Int
        /// The USB or PCI device that it belongs to, below `/sys`.
        var bus: String?
    }

    private static func candidate(_ video: UdevDevice) -> Candidate? {
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
        let model = zip([video.property("ID_VENDOR_ID")], [video.property("ID_MODEL_ID")]).compactMap { vendor, product in
            vendor.flatMap { vendor in product.map { "\(vendor):\($0)" } }
        }.first
        let device = CaptureDevice(
            path: video.property("ID_PATH") ?? video.path,
            // udev makes up an ID_SERIAL from the names; the short one is the device's own.
            serial: video.property("ID_SERIAL_SHORT") ?? usb?.attribute("serial"), model: model,
            name: video.property("ID_V4L_PRODUCT") ?? video.attribute("name") ?? video.name,
            driver: identity?.driver ?? video.parent("usb", "usb_interface")?.driver ?? (usb == nil ? bus?.driver : nil),
            node: node, usbNode: usb?.node, modes: modes, accessProblem: NodeAccess.problem(node))
        return Candidate(device: device, index: video.attribute("index").flatMap { Int($0) } ?? 0, bus: bus?.path)
    }
}
