/// A simulated capture card, with the real V4L2 between it and FFmpeg.
package struct LabCamera: Sendable, Hashable {
    /// A format, size and rate that the card offers.
    package struct Mode: Sendable, Hashable {
        /// `YUYV` or `NV12`; `MJPG` or `H264` if the camera has compressed video.
        package var format: String
        package var width: Int
        package var height: Int
        package var rate: Int
        /// Whether each frame has two fields, the top one first.
        package var isInterlaced: Bool

        package init(
            _ format: String = "YUYV", _ width: Int = 320, _ height: Int = 180, at rate: Int = 30,
            isInterlaced: Bool = false
        ) {
            self.format = format
            self.width = width
            self.height = height
            self.rate = rate
            self.isInterlaced = isInterlaced
        }

        var text: String { "\(format):\(width)x\(height)@\(rate)" + (isInterlaced ? "i" : "") }
    }

    package var serial: String?
    /// The USB port, such as `1-2`.
    package var port: String
    /// The number of its node.
    package var number: Int
    package var modes: [Mode]
    /// The file with its compressed frames, one after the other.
    package var compressedVideo: String?
    /// The number of its ALSA card, if it has one.
    package var sound: Int?

    package init(
        serial: String? = "SN0001", port: String = "1-2", number: Int = 0, modes: [Mode] = [Mode()],
        compressedVideo: String? = nil, sound: Int? = nil
    ) {
        self.serial = serial
        self.port = port
        self.number = number
        self.modes = modes
        self.compressedVideo = compressedVideo
        self.sound = sound
    }

    package var node: String { "/dev/video\(number)" }
    package var usbNode: String { "/dev/bus/usb/001/\(port.split(separator: "-").last ?? "")" }
    /// udev's name of its port.
    package var path: String { "pci-0000:00:14.0-usb-0:\(port.split(separator: "-").last ?? ""):1.0" }

    var usb: String { "/sys/devices/pci0000:00/0000:00:14.0/usb1/\(port)" }
    var device: String { "\(usb)/\(port):1.0/video4linux/video\(number)" }
    var soundDevice: String? { sound.map { "\(usb)/\(port):1.2/sound/card\($0)" } }

    /// The devices in the format of umockdev.
    var description: String {
        """
        P: \(usb.dropFirst(4))
        N: \(usbNode.dropFirst(5))=00
        E: DEVNAME=\(usbNode)
        E: MAJOR=189
        E: MINOR=\(port.split(separator: "-").last ?? "")
        E: SUBSYSTEM=usb
        E: DEVTYPE=usb_device
        E: DRIVER=usb
        \(serial.map { "A: serial=\($0)" } ?? "A: product=Cam Link 4K")

        P: \(device.dropFirst(4))
        N: video\(number)=00
        E: DEVNAME=\(node)
        E: MAJOR=81
        E: MINOR=\(number)
        E: SUBSYSTEM=video4linux
        E: ID_V4L_CAPABILITIES=:capture:
        E: ID_V4L_PRODUCT=Cam Link 4K
        E: ID_PATH=\(path)
        \(serial.map { "E: ID_SERIAL_SHORT=\($0)" } ?? "E: ID_MODEL=Cam_Link_4K")
        E: ID_VENDOR_ID=0fd9
        E: ID_MODEL_ID=0066
        A: dev=81:\(number)
        A: name=Cam Link 4K

        """
    }

    /// The sound card in the format of umockdev; nil without one.
    var soundDescription: String? {
        soundDevice.map { device in
            """
            P: \(device.dropFirst(4))
            E: SUBSYSTEM=sound
            A: number=\(sound ?? 0)

            """
        }
    }
}
