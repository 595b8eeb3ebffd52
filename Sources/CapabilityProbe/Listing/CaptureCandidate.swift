/// A video device as udev knows it: a capture card, unless its driver says something else.
package struct CaptureCandidate: Sendable, Identifiable {
    /// Another one each time that it is plugged in.
    package let id: String
    /// What it is as a card, as far as udev knows.
    let device: CaptureDevice
    /// Which of its parent's nodes it is.
    let index: Int
    /// The USB or PCI device that it belongs to, below `/sys`.
    let bus: String?
    /// Whether it gives pictures, as udev has found out; `nil` where it has not.
    let captures: Bool?

    /// What its driver says.
    package struct Answer: Sendable {
        /// `nil` where this process may not ask, or it is gone.
        var captures: Bool?
        var driver: String?
        var modes: [CaptureMode]?
    }

    init(id: String, device: CaptureDevice, index: Int = 0, bus: String? = nil, captures: Bool? = true) {
        self.id = id
        self.device = device
        self.index = index
        self.bus = bus
        self.captures = captures
    }

    init?(_ video: UdevDevice) {
        guard let node = video.node else { return nil }
        let usb = video.parent("usb", "usb_device")
        let bus = usb ?? video.parent("pci")
        let model = zip([video.property("ID_VENDOR_ID")], [video.property("ID_MODEL_ID")]).compactMap {
            vendor, product in
            vendor.flatMap { vendor in product.map { "\(vendor):\($0)" } }
        }.first
        let device = CaptureDevice(
            path: video.property("ID_PATH") ?? video.path,
            // udev makes up an ID_SERIAL from the names; the short one is the device's own.
            serial: video.property("ID_SERIAL_SHORT") ?? usb?.attribute("serial"), model: model,
            name: video.property("ID_V4L_PRODUCT") ?? video.attribute("name") ?? video.name,
            driver: video.parent("usb", "usb_interface")?.driver ?? (usb == nil ? bus?.driver : nil),
            node: node, usbNode: usb?.node, accessProblem: NodeAccess.problem(node))
        self.init(
            id: "\(video.path) \(video.property("USEC_INITIALIZED") ?? "")", device: device,
            index: video.attribute("index").flatMap { Int($0) } ?? 0,
            bus: bus?.path, captures: video.property("ID_V4L_CAPABILITIES")?.contains(":capture:"))
    }

    /// Opens it and asks its driver, which disturbs nobody who captures. Blocks for as long as the driver does, which
    /// may be for ever.
    package func ask() -> Answer {
        guard let node = try? V4L2Node(device.node), let identity = node.identity() else { return Answer() }
        return Answer(
            captures: identity.isCapture, driver: identity.driver, modes: identity.isCapture ? node.modes() : nil)
    }

    /// The card that it is; `nil` where it is none, for metadata nodes and encoders are video devices too.
    ///
    /// - Parameter answer: `nil` while its driver does not answer.
    func device(_ answer: Answer?) -> CaptureDevice? {
        var card = device
        guard let answer else {
            // udev asks as well, and may have had no answer either.
            guard captures ?? true else { return nil }
            card.isHung = true
            card.accessProblem =
                "\(device.node) does not answer: its driver hangs; pull the card and plug it again, or restart the box"
            return card
        }
        // The driver knows best; where this process may not ask it, udev has.
        guard answer.captures ?? captures ?? false else { return nil }
        card.driver = answer.driver ?? card.driver
        card.modes = answer.modes
        return card
    }
}
