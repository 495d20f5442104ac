internal import CGale

/// The C callbacks of a server: each finds the Swift object, lets it act, then runs what has become ready.
enum Callbacks {
    static func install(_ handler: inout gale_handler_t) {
        handler.on_request = { request, _ in
            Worker.with(gale_req_worker(request)) { worker in
                worker.executor.enter()
                let reference = Unmanaged.passRetained(worker.takeExchange())
                gale_req_set_data(request, reference.toOpaque())
                let isOver = reference._withUnsafeGuaranteedRef { exchange in
                    exchange.attach(request)
                    exchange.received()
                    return exchange.endReceiving()
                }
                if isOver { worker.recycle(reference) }
                worker.executor.leave()
            }
        }
        handler.on_body = { request, chunk, last, _ in
            guard let exchange = Callbacks.exchange(of: request) else { return }
            exchange.worker.executor.enter()
            exchange.receivedBody(Span(_unsafeElements: chunk.buffer), last: last)
            exchange.worker.executor.leave()
        }
        handler.on_drain = { request, _ in
            guard let exchange = Callbacks.exchange(of: request) else { return }
            exchange.worker.executor.enter()
            exchange.drained()
            exchange.worker.executor.leave()
        }
        handler.on_done = { request, status, _ in
            guard let data = gale_req_data(request) else { return }
            let reference = Unmanaged<Exchange>.fromOpaque(data)
            Worker.with(gale_req_worker(request)) { worker in
                worker.executor.enter()
                let isOver = reference._withUnsafeGuaranteedRef { exchange in
                    exchange.finish(status: status)
                    return !exchange.isReceiving
                }
                if isOver { worker.recycle(reference) }
                worker.executor.leave()
            }
        }
        handler.on_worker_start = { pointer, data in
            guard let data else { return }
            let server = Unmanaged<Server>.fromOpaque(data).takeUnretainedValue()
            let worker = Worker(pointer, server: server)
            gale_worker_set_data(pointer, Unmanaged.passRetained(worker).toOpaque())
            worker.executor.enter()
            server.delegate.workerStarted(worker)
            worker.executor.leave()
            server.workerStarted()
        }
        handler.on_worker_stop = { pointer, _ in
            guard let data = gale_worker_data(pointer) else { return }
            let worker = Unmanaged<Worker>.fromOpaque(data).takeRetainedValue()
            let server = worker.server
            server.delegate.workerStopped(worker)
            worker.close()
            gale_worker_set_data(pointer, nil)
            server.workerStopped()
        }
    }

    private static func exchange(of request: OpaquePointer) -> Exchange? {
        guard let data = gale_req_data(request) else { return nil }
        return Unmanaged<Exchange>.fromOpaque(data).takeUnretainedValue()
    }
}
