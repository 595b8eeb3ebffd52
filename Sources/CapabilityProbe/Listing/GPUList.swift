import CDRM
import Glibc

/// The GPUs of the machine, from libdrm and udev's database.
package enum GPUList {
    /// The most devices that are read.
    private static let most = 64

    /// Lists the GPUs, sorted by slot. It takes a few milliseconds, and opens no driver library.
    package static func read() -> [GPU] {
        var devices = [drmDevicePtr?](repeating: nil, count: most)
        let count = drmGetDevices2(0, &devices, CInt(most))
        defer { if count > 0 { drmFreeDevices(&devices, count) } }
        let udev = Udev()
        let database = udev?.devices(of: "drm") ?? []
        let gpus = devices.prefix(max(0, Int(count))).compactMap { $0.flatMap { gpu($0, database) } }
        // NVIDIA's driver encodes without a DRM node, and has none if its display part is not loaded.
        let rest = (udev?.devices(of: "pci") ?? []).filter { device in
            device.driver == nvidia && !gpus.contains { $0.slot == device.name }
        }
        let all = gpus + rest.compactMap { gpuWithoutNodes($0) }
        return (all + assumedNVIDIA(besides: all)).sorted { $0.slot < $1.slot }
    }

    /// Returns an NVIDIA GPU that may exist, if NVIDIA's library is installed but `listed` has no NVIDIA GPU. In a
    /// container and on a system-on-chip, no bus lists the GPU.
    private static func assumedNVIDIA(besides listed: [GPU]) -> [GPU] {
        guard !listed.contains(where: { $0.driver == nvidia }) else { return [] }
        let folders =
            (getenv("LD_LIBRARY_PATH").map { String(cString: $0).split(separator: ":").map(String.init) } ?? [])
            + libraryFolders
        guard folders.contains(where: { access("\($0)/libcuda.so.1", F_OK) == 0 }) else { return [] }
        var gpu = GPU(slot: nvidia, driver: nvidia)
        gpu.accessProblem = nvidiaProblem
        return [gpu]
    }

    private static let libraryFolders = [
        "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib", "/usr/lib/wsl/lib",
        "/usr/local/nvidia/lib64",
    ]

    /// Whether the node exists and the kernel still has a device behind it. True as well if this process may not open
    /// the node, or if it is busy. The call blocks as long as the driver does.
    package static func hasDevice(behind node: String) -> Bool {
        let descriptor = open(node, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return errno == EACCES || errno == EPERM || errno == EBUSY }
        defer { close(descriptor) }
        guard let version = drmGetVersion(descriptor) else { return false }
        drmFreeVersion(version)
        return true
    }

    private static let nvidia = "nvidia"

    /// Why NVIDIA's control node cannot be opened. `nil` if it can, or if it does not exist: the driver creates its
    /// nodes on first use.
    private static var nvidiaProblem: String? {
        let node = "/dev/nvidiactl"
        return access(node, F_OK) == 0 ? NodeAccess.problem(node) : nil
    }

    /// Describes a PCI device of NVIDIA's driver without DRM nodes as a GPU. `nil` if it is not a display device.
    private static func gpuWithoutNodes(_ device: UdevDevice) -> GPU? {
        // Class 03 is display. The same card's audio and USB parts have other classes.
        guard device.attribute("class")?.hasPrefix("0x03") ?? true else { return nil }
        var gpu = GPU(slot: device.name, driver: nvidia)
        gpu.vendorID = device.attribute("vendor").flatMap { UInt16($0.dropFirst(2), radix: 16) }
        gpu.deviceID = device.attribute("device").flatMap { UInt16($0.dropFirst(2), radix: 16) }
        setNames(of: &gpu, from: device)
        gpu.isBootVGA = device.attribute("boot_vga") == "1"
        gpu.accessProblem = nvidiaProblem
        return gpu
    }

    /// Sets the names of vendor and model, from udev's database or else from `pci.ids`.
    private static func setNames(of gpu: inout GPU, from bus: UdevDevice?) {
        gpu.vendorName = bus?.property("ID_VENDOR_FROM_DATABASE")
        gpu.deviceName = bus?.property("ID_MODEL_FROM_DATABASE")
        if gpu.vendorName == nil, let vendor = gpu.vendorID,
            let names = PCINames.find(vendor: vendor, device: gpu.deviceID ?? 0)
        {
            (gpu.vendorName, gpu.deviceName) = names
        }
    }

    private static func gpu(_ device: drmDevicePtr, _ database: [UdevDevice]) -> GPU? {
        let render = node(device, DRM_NODE_RENDER)
        let card = node(device, DRM_NODE_PRIMARY)
        guard let any = render ?? card else { return nil }
        let entry = database.first { $0.node == any }
        let bus = entry?.parent("pci") ?? entry?.parent("platform") ?? entry?.parent
        var gpu = GPU(
            slot: slot(device) ?? bus?.name ?? entry?.name ?? any, driver: bus?.driver ?? driver(of: any) ?? "")
        if device.pointee.bustype == DRM_BUS_PCI {
            gpu.vendorID = device.pointee.deviceinfo.pci.pointee.vendor_id
            gpu.deviceID = device.pointee.deviceinfo.pci.pointee.device_id
        }
        setNames(of: &gpu, from: bus)
        gpu.renderNode = render
        gpu.cardNode = card
        gpu.isBootVGA = bus?.attribute("boot_vga") == "1"
        // NVENC uses NVIDIA's own nodes, and not the render node.
        gpu.accessProblem = gpu.driver == nvidia ? nvidiaProblem : NodeAccess.problem(any)
        return gpu
    }

    private static func node(_ device: drmDevicePtr, _ kind: CInt) -> String? {
        guard device.pointee.available_nodes & (1 << kind) != 0, let path = device.pointee.nodes[Int(kind)] else {
            return nil
        }
        return String(cString: path)
    }

    /// `0000:03:00.0`. `nil` for a device that is not on a PCI bus.
    private static func slot(_ device: drmDevicePtr) -> String? {
        guard device.pointee.bustype == DRM_BUS_PCI, let bus = device.pointee.businfo.pci?.pointee else { return nil }
        return hex(UInt64(bus.domain), 4) + ":" + hex(UInt64(bus.bus), 2) + ":" + hex(UInt64(bus.dev), 2)
            + ".\(bus.func)"
    }

    private static func hex(_ value: UInt64, _ digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// The name that the kernel driver gives itself, if udev does not know it.
    private static func driver(of path: String) -> String? {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard let version = drmGetVersion(descriptor) else { return nil }
        defer { drmFreeVersion(version) }
        return version.pointee.name.map { String(cString: $0) }
    }
}
