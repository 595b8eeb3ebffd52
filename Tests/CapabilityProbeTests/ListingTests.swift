import CapabilityProbe
import Testing

@Suite struct ListingTests {
    @Test("names are found in the lines of pci.ids")
    func names() {
        let names = PCINames.names(vendor: "8086  Intel Corporation", devices: ["\t46a5  Other", "\t46a6  Alder Lake-P", "\t\t46a6 1028  Sub"], device: 0x46A6)
        #expect(names.vendor == "Intel Corporation" && names.device == "Alder Lake-P")
        #expect(PCINames.names(vendor: "8086  Intel Corporation", devices: [], device: 1).device == nil)
    }

    @Test("what is read is in order and every node is a path; a machine without any gives nothing")
    func reading() {
        let gpus = GPUList.read()
        #expect(gpus.map(\.slot) == gpus.map(\.slot).sorted())
        #expect(gpus.allSatisfy { ($0.renderNode ?? $0.cardNode ?? "").hasPrefix("/dev/") })
        #expect(CaptureList.read().allSatisfy { $0.node.hasPrefix("/dev/") })
    }

    @Test("watching for devices ends with the task that does it")
    func cancelling() async {
        let watching = Task { for await _ in Hotplug() {} }
        watching.cancel()
        await watching.value
    }
}
