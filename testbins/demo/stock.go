package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/alicebob/miniredis/v2"
	_ "github.com/lib/pq"
	_ "github.com/ncruces/go-sqlite3/driver"
	_ "github.com/ncruces/go-sqlite3/embed"
	_ "github.com/ncruces/go-sqlite3/vfs/memdb"
	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	farAway = 150 * time.Millisecond
	reserve = "/demo.Stock/Reserve"
)

// stock reserves items, and asks the shop what they cost.
type stock struct {
	shop   string
	db     *sql.DB
	places *redis.Client // where items are, as the database has said
}

// Reserve answers one call.
func (s *stock) Reserve(ctx context.Context, item *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	name := item.GetValue()
	place, err := s.place(ctx, name)
	if errors.Is(err, sql.ErrNoRows) {
		slog.WarnContext(ctx, "unknown item", "item", name)
		return nil, status.Error(codes.NotFound, "never heard of it")
	}
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	price, err := s.price(ctx, name)
	if err != nil {
		return nil, status.Error(codes.Unavailable, err.Error())
	}
	if place == "far away" {
		time.Sleep(farAway)
	}
	if err := s.take(ctx, name); err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	slog.InfoContext(ctx, "reserved", "item", name, "place", place)
	return wrapperspb.String(fmt.Sprintf("%s for %s", name, price)), nil
}

// place is where an item is: from Redis, or else from the database.
func (s *stock) place(ctx context.Context, item string) (string, error) {
	place, err := s.places.Get(ctx, "place:"+item).Result()
	if !errors.Is(err, redis.Nil) {
		return place, err
	}
	if err := s.db.QueryRowContext(ctx, "SELECT place FROM items WHERE name = $1", item).Scan(&place); err != nil {
		return "", err
	}
	return place, s.places.Set(ctx, "place:"+item, place, time.Minute).Err()
}

// take takes one of an item, of which there must be one.
func (s *stock) take(ctx context.Context, item string) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	result, err := tx.ExecContext(ctx, "UPDATE items SET there = there - 1 WHERE name = $1 AND there > 0", item)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, fmt.Errorf("the %s ran away", item))
	}
	return tx.Commit()
}

var client = &http.Client{Timeout: 10 * time.Second}

// price asks the shop.
func (s *stock) price(ctx context.Context, item string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.shop+"/price/"+url.PathEscape(item), nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("the shop answers %s", response.Status)
	}
	return string(body), err
}

// items are what is there: name, place, number.
var items = [][3]any{{"kettle", "shelf", 10}, {"anvil", "far away", 10}, {"unicorn", "forest", 0}, {"mimic", "shelf", 1}}

func open(ctx context.Context, database string) (*sql.DB, error) {
	driver, dsn := "sqlite3", "file:/stock?vfs=memdb"
	if database != "" {
		driver, dsn = "postgres", database
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	if _, err = db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS items (name TEXT PRIMARY KEY, place TEXT, there INTEGER)"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	for _, item := range items {
		if _, err = db.ExecContext(ctx, "INSERT INTO items (name, place, there) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", item[:]...); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, nil
}

// serveStock answers until it is asked to stop, and then finishes the calls it has.
func serveStock(stop context.Context, listener net.Listener, ready func(), shop, database, cache string) error {
	db, err := open(stop, database)
	if err != nil {
		return err
	}
	defer db.Close()
	if cache == "" {
		server, err := miniredis.Run()
		if err != nil {
			return err
		}
		defer server.Close()
		cache = server.Addr()
	}
	places := redis.NewClient(&redis.Options{Addr: cache})
	defer places.Close()
	server := grpc.NewServer()
	server.RegisterService(&service, &stock{shop, db, places})
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	ready()
	select {
	case err := <-failed:
		return err
	case <-stop.Done():
	}
	server.GracefulStop()
	return nil
}

// service is what protoc-gen-go-grpc would make of a service with one method, of messages that protobuf has.
var service = grpc.ServiceDesc{
	ServiceName: "demo.Stock",
	HandlerType: (*interface {
		Reserve(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error)
	})(nil),
	Methods: []grpc.MethodDesc{{MethodName: "Reserve", Handler: func(srv any, ctx context.Context, decode func(any) error, around grpc.UnaryServerInterceptor) (any, error) {
		in := new(wrapperspb.StringValue)
		if err := decode(in); err != nil {
			return nil, err
		}
		call := func(ctx context.Context, in any) (any, error) {
			return srv.(*stock).Reserve(ctx, in.(*wrapperspb.StringValue))
		}
		if around == nil {
			return call(ctx, in)
		}
		return around(ctx, in, &grpc.UnaryServerInfo{Server: srv, FullMethod: reserve}, call)
	}}},
}
