/// A simulated GPU.
package struct LabGPU: Sendable, Hashable {
    /// The PCI slot.
    package var slot: String
    /// The kernel driver.
    package var driver: String
    /// PCI ids.
    package var ids: (vendor: Int, device: Int) {
        driver == "i915" ? (0x8086, 0x46A6) : driver == "amdgpu" ? (0x1002, 0x73FF) : (0x10DE, 0x1EB0)
    }
    /// The number of its render node, 128 or more; `nil` for a GPU without DRM nodes.
    package var render: Int?

    package init(slot: String, driver: String, render: Int?) {
        self.slot = slot
        self.driver = driver
        self.render = render
    }

    package static let intel = LabGPU(slot: "0000:00:02.0", driver: "i915", render: 128)
    package static let amd = LabGPU(slot: "0000:03:00.0", driver: "amdgpu", render: 129)
    /// NVIDIA's driver encodes without DRM nodes.
    package static let nvidia = LabGPU(slot: "0000:01:00.0", driver: "nvidia", render: nil)

    /// The same GPU with other numbers of its nodes.
    package func renumbered(_ render: Int) -> LabGPU { LabGPU(slot: slot, driver: driver, render: render) }

    /// Its path below `/sys`.
    var path: String { "/sys/devices/pci0000:00/\(slot)" }
    /// The paths of its DRM devices below `/sys`.
    var devices: [String] { names.map { "\(path)/drm/\($0)" } }
    var nodes: [String] { names.map { "/dev/dri/\($0)" } }
    private var names: [String] { render.map { ["card\($0 - 128)", "renderD\($0)"] } ?? [] }

    /// The devices in the format of umockdev.
    var description: String {
        let hex = { (value: Int) in "0x" + String(value, radix: 16) }
        var text = """
            P: \(path.dropFirst(4))
            E: SUBSYSTEM=pci
            E: DRIVER=\(driver)
            E: PCI_SLOT_NAME=\(slot)
            A: vendor=\(hex(ids.vendor))
            A: device=\(hex(ids.device))
            A: class=0x030000
            A: boot_vga=\(driver == "i915" ? 1 : 0)
            A: subsystem_vendor=0x1028
            A: subsystem_device=0x0b08
            A: revision=0x0c
            L: driver=../../../bus/pci/drivers/\(driver)

            """
        for (name, number) in zip(names, [(render ?? 0) - 128, render ?? 0]) {
            text += """

                P: \(path.dropFirst(4))/drm/\(name)
                N: dri/\(name)=00
                E: DEVNAME=/dev/dri/\(name)
                E: DEVTYPE=drm_minor
                E: MAJOR=226
                E: MINOR=\(number)
                E: SUBSYSTEM=drm
                A: dev=226:\(number)
                L: device=../..

                """
        }
        return text
    }
}
