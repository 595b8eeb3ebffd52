import TestSupport
import Testing

@testable import CapabilityProbe

@Suite struct ListingTests {
    @Test("names are found in the lines of pci.ids")
    func names() {
        let names = PCINames.names(
            vendor: "8086  Intel Corporation",
            devices: ["\t46a5  Other", "\t46a6  Alder Lake-P", "\t\t46a6 1028  Sub"], device: 0x46A6)
        #expect(names.vendor == "Intel Corporation" && names.device == "Alder Lake-P")
        #expect(PCINames.names(vendor: "8086  Intel Corporation", devices: [], device: 1).device == nil)
    }

    @Test("four-letter codes and frame rates are written in a readable form")
    func notations() {
        #expect(
            V4L2Notation.text(0x5659_5559) == "YUYV" && V4L2Notation.text(0x2020_3859) == "Y8"
                && V4L2Notation.text(0x0100_3859) == "Y8??"
        )
        // RGBP, and the same big-endian.
        #expect(V4L2Notation.text(0x5042_4752) == V4L2Notation.text(0xD042_4752))
        #expect(V4L2Notation.rate(interval: 1, 30) == "30" && V4L2Notation.rate(interval: 333_333, 9_999_990) == "30")
        #expect(
            V4L2Notation.rate(interval: 1001, 60000) == "60000/1001" && V4L2Notation.rate(interval: 2, 15) == "15/2")
        #expect(V4L2Notation.rate(interval: 0, 30) == nil && V4L2Notation.rate(interval: 1, 0) == nil)
    }

    @Test(
        "fields have the driver's order, or that of the television standard",
        arguments: [
            (4, 576, .topFirst), (4, 1080, .topFirst), (4, 480, .bottomFirst), (4, 486, .bottomFirst),
            (8, 480, .topFirst),
            (9, 1080, .bottomFirst),
            // None, one field alone, one after the other, and alternating.
            (1, 1080, nil), (2, 288, nil), (5, 576, nil), (7, 540, nil), (0, 576, nil), (99, 576, nil),
        ] as [(UInt32, Int, FieldOrder?)])
    func fields(field: UInt32, height: Int, order: FieldOrder?) {
        #expect(FieldOrder(v4l2: field, height: height) == order)
    }

    @Test("a user without access gets advice, and never advice to join root's group")
    func advice() {
        #expect(NodeAccess.advice("/dev/x", group: "render", mode: 0o020_660).hasSuffix("add it to the group render"))
        #expect(NodeAccess.advice("/dev/x", group: "video", mode: 0o020_600).contains("udev rule that sets mode 0660"))
        #expect(!NodeAccess.advice("/dev/x", group: nil, mode: 0o020_660).contains("add it to"))
        #expect(NodeAccess.policy("/dev/x").contains("DeviceAllow=/dev/x rw"))
    }

    @Test("an installed list of PCI names is read, and a missing one gives no names")
    func namesOnDisk() throws {
        let folder = try TemporaryFolder()
        let list = try folder.write(
            "pci.ids",
            """
            # List of PCI ID's
            1002  Advanced Micro Devices, Inc. [AMD/ATI]
            \t73ff  Navi 23 [Radeon RX 6600/6600 XT/6600M]
            # in the middle of a vendor
            \t\t1458 2337  Radeon RX 6600 EAGLE 8G
            8086  Intel Corporation
            \t46a6  Alder Lake-P GT2 [Iris Xe Graphics]
            C 03  Display controller

            """)
        let places = ["/nowhere/pci.ids", list]
        let amd = try #require(PCINames.find(vendor: 0x1002, device: 0x73FF, in: places))
        #expect(
            amd.vendor == "Advanced Micro Devices, Inc. [AMD/ATI]"
                && amd.device == "Navi 23 [Radeon RX 6600/6600 XT/6600M]")
        let intel = try #require(PCINames.find(vendor: 0x8086, device: 0x46A7, in: places))
        #expect(intel.vendor == "Intel Corporation" && intel.device == nil)
        #expect(
            PCINames.find(vendor: 0x10DE, device: 1, in: places) == nil
                && PCINames.find(vendor: 0x8086, device: 1, in: []) == nil)
    }

    @Test("lists are in order with paths as nodes, and are empty without devices")
    func reading() {
        let gpus = GPUList.read()
        #expect(gpus.map(\.slot) == gpus.map(\.slot).sorted())
        #expect(gpus.allSatisfy { ($0.renderNode ?? $0.cardNode ?? "").hasPrefix("/dev/") })
        #expect(CaptureCandidateList.read().devices([:]).allSatisfy { $0.node.hasPrefix("/dev/") })
    }

    @Test("watching for devices ends with its task")
    func cancelling() async {
        let watching = Task { for await _ in Hotplug() {} }
        watching.cancel()
        await watching.value
    }
}
