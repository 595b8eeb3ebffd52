import Testing

@testable import DataPath

@Suite struct PublisherPatienceTests {
    @Test("a publisher that takes nothing is reported within nine seconds")
    func patience() {
        // The pipe has 64 places, and each write to it fills at least one.
        #expect(Publisher.patience + 64 * Publisher.pace < 9_000_000_000)
    }
}
