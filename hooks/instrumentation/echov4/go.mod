module github.com/otelobj/otelobj/hooks/instrumentation/echov4

go 1.24.0

require (
	github.com/labstack/echo/v4 v4.1.16
	github.com/otelobj/otelobj/hooks/rt v0.0.0
)

require (
	github.com/labstack/gommon v0.3.0 // indirect
	github.com/mattn/go-colorable v0.1.6 // indirect
	github.com/mattn/go-isatty v0.0.12 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	github.com/valyala/fasttemplate v1.1.0 // indirect
	golang.org/x/crypto v0.0.0-20200221231518-2aa609cf4a9d // indirect
	golang.org/x/net v0.0.0-20200226121028-0de0cce0169b // indirect
	golang.org/x/sys v0.0.0-20200223170610-d5e6a3e2c0ae // indirect
	golang.org/x/text v0.3.2 // indirect
)

replace github.com/otelobj/otelobj/hooks/rt => ../../rt
