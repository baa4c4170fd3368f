// Package app is a service with gorilla/mux.
package app

import (
	"fmt"
	"net/http"

	"example.com/shared/requests"
	"github.com/gorilla/mux"
)

// Run serves below what it is given.
func Run(middleware ...mux.MiddlewareFunc) {
	r := mux.NewRouter()
	r.Use(middleware...)
	user := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, mux.Vars(r)["id"]) }
	r.HandleFunc("/users/{id:[0-9]+}", user).Methods("GET")
	r.PathPrefix("/api").Subrouter().HandleFunc("/users/{id}", user)
	r.PathPrefix("/files/").HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.Path) })
	r.HandleFunc("/broken", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "sorry", http.StatusInternalServerError) })
	requests.Make(r, "GET /users/7", "GET /users/8", "GET /api/users/9", "GET /files/a/b", "GET /broken", "GET /nowhere", "POST /users/7")
}
