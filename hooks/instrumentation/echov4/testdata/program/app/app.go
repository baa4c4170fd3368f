// Package app is a service with echo.
package app

import (
	"errors"
	"net/http"

	"example.com/shared/requests"
	"github.com/labstack/echo/v4"
)

// Run serves with the program's own middleware below what it is given.
func Run(middleware ...echo.MiddlewareFunc) {
	e := echo.New()
	e.Use(middleware...)
	e.Use(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Response().Header().Set("X-Path", c.Path())
			return next(c)
		}
	})
	e.GET("/users/:id", func(c echo.Context) error { return c.String(http.StatusOK, c.Param("id")) })
	e.Group("/v1").GET("/files/*", func(c echo.Context) error { return c.String(http.StatusOK, c.Param("*")) })
	e.POST("/users", func(c echo.Context) error { return c.NoContent(http.StatusCreated) })
	e.GET("/failing", func(c echo.Context) error { return errors.New("first") })
	e.GET("/refusing", func(c echo.Context) error { return echo.NewHTTPError(http.StatusForbidden, "not you") })
	e.GET("/broken", func(c echo.Context) error { return c.String(http.StatusInternalServerError, "sorry") })
	requests.Make(e, "GET /users/7", "GET /users/8", "GET /v1/files/a/b", "POST /users", "GET /failing", "GET /refusing", "GET /broken", "GET /nowhere")
}
