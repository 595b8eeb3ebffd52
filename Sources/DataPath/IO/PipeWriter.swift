/// Writes to a descriptor that it owns.
protocol PipeWriter: AnyObject {
    func close()
}
