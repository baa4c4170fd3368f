// Package app is a service with gin.
package app

import (
	"errors"
	"io"
	"net/http"

	"example.com/shared/requests"
	"github.com/gin-gonic/gin"
)

// Run serves with the program's own middleware below what it is given.
func Run(middleware ...gin.HandlerFunc) {
	gin.SetMode(gin.ReleaseMode)
	gin.DefaultErrorWriter = io.Discard
	r := gin.New()
	r.Use(middleware...)
	r.Use(gin.Recovery())
	r.GET("/users/:id", func(c *gin.Context) { c.String(http.StatusOK, c.Param("id")) })
	r.Group("/v1").GET("/files/*path", func(c *gin.Context) { c.String(http.StatusOK, c.Param("path")) })
	r.POST("/users", func(c *gin.Context) { c.Status(http.StatusCreated) })
	r.GET("/failing", func(c *gin.Context) {
		_ = c.AbortWithError(http.StatusBadRequest, errors.New("first"))
		_ = c.Error(errors.New("second"))
	})
	r.GET("/broken", func(c *gin.Context) { c.String(http.StatusInternalServerError, "sorry") })
	r.GET("/panicking", func(c *gin.Context) { panic("boom") })
	requests.Make(r, "GET /users/7", "GET /users/8", "GET /v1/files/a/b", "POST /users", "GET /failing", "GET /broken", "GET /panicking", "GET /nowhere")
}
